"""Addresses under /risk/."""

from django.urls import path

from trading.views import risk

app_name = "risk"
urlpatterns = [
    path("", risk.risk, name="risk"),
    path("figures/", risk.figures, name="figures"),
    path("what-if/", risk.what_if, name="what-if"),
    path("book/", risk.book, name="book"),
]
