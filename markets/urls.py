from django.urls import path

from markets import pages

app_name = "markets"
urlpatterns = [
    path("", pages.landing, name="landing"),
    path("markets/", pages.market_list, name="markets"),
    path("display/", pages.display, name="display"),
]
