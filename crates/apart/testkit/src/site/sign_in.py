from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest

request = HttpRequest()
request.session = SessionStore()
user = User.objects.get(pk=arguments[0])
login(request, user, backend="django.contrib.auth.backends.ModelBackend")
request.session.save()
answer = request.session.session_key
