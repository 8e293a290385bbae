"""The pages of the invented site: Django's own for accounts."""

from django.urls import include, path

urlpatterns = [path("accounts/", include("django.contrib.auth.urls"))]
