"""Fetches one page over HTTPS with Python's own TLS, and prints status and body.

    fetch.py URL AUTHORITY
`AUTHORITY` is a PEM file: no other certificate counts.
"""

import ssl
import sys
from urllib.request import urlopen

_, url, authority = sys.argv
context = ssl.create_default_context(cafile=authority)
with urlopen(url, context=context, timeout=20) as answer:
    print(answer.status, answer.read().decode(), end="")
