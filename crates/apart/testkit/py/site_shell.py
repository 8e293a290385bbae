"""Runs a few lines of Python inside the site, as `manage.py shell` would.

    site_shell.py DATABASE CODE [ARGUMENT...]
`CODE` finds the arguments in `arguments`. What it leaves in `answer` is printed as JSON.
"""

import json
import os
import sys

_, database, code, *arguments = sys.argv
os.environ["COUNTERSIGN_SITE_DATABASE"] = database
os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"

import django  # noqa: E402

django.setup()
names = {"arguments": arguments, "answer": None}
exec(compile(code, "<site_shell>", "exec"), names)
print(json.dumps(names["answer"]))
