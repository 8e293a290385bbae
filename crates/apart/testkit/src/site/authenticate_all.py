import json

from django.contrib.auth import authenticate

pairs = json.loads(arguments[0])
answer = [authenticate(username=name, password=password) is not None for name, password in pairs]
