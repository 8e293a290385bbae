"""Prints the text of a mail as its reader sees it: decoded, without the headers.

    mail_text.py FILE
"""

import sys
from email import message_from_binary_file
from email.policy import default

with open(sys.argv[1], "rb") as file:
    mail = message_from_binary_file(file, policy=default)
sys.stdout.reconfigure(encoding="utf-8")
print(mail.get_body(("plain",)).get_content(), end="")
