from django.conf import settings
from django.contrib.auth.forms import PasswordResetForm

address, port = arguments
settings.EMAIL_PORT = int(port)
form = PasswordResetForm({"email": address})
assert form.is_valid(), form.errors
form.save(domain_override="site.test", use_https=True)
