"""aics-witness, a witness that none of us wrote: its own command line.

With `serve` it ends when its standard input does, so that it never outlives a test.
"""

import os
import sys
import threading

# It says that it needs 3.12, and is installed without asking it; its newest word is `datetime.UTC`.
if sys.version_info < (3, 11):
    sys.exit(f"the tests of witnesses need Python 3.11 or later, and this is {sys.version}")

from aics_witness import cli


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


if "serve" in sys.argv:
    threading.Thread(target=end_with_input, daemon=True).start()
sys.exit(cli.main())
