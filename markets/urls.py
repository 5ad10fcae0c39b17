from django.urls import path

from markets import pages

app_name = "markets"
urlpatterns = [
    path("", pages.landing, name="landing"),
    path("display/", pages.display, name="display"),
]
