from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

request = HttpRequest()
request.session = SessionStore(arguments[0])
user = get_user(request)
answer = None if user.is_anonymous else str(user.pk)
