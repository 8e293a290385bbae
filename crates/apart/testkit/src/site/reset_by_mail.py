import email
import email.policy
import re
from urllib.parse import urlsplit

from django.test import Client
from django.urls import reverse

mail, password = arguments
text = email.message_from_string(mail, policy=email.policy.default).get_content()
link = urlsplit(re.search(r"https://\S+", text).group())
browser = Client()
form = browser.get(link.path, follow=True)
chosen = {"new_password1": password, "new_password2": password}
answer = False
if form.redirect_chain:
    done = browser.post(form.redirect_chain[-1][0], chosen, follow=True)
    answer = done.redirect_chain == [(reverse("password_reset_complete"), 302)]
