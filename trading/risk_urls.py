"""Addresses under /risk/."""

from django.urls import path

from trading import urls as _urls  # noqa: F401 - registers the converter of numbers
from trading.views import liquidations, risk

app_name = "risk"
urlpatterns = [
    path("", risk.risk, name="risk"),
    path("figures/", risk.figures, name="figures"),
    path("what-if/", risk.what_if, name="what-if"),
    path("liquidations/", liquidations.liquidations, name="liquidations"),
    path("liquidations/<order:liquidation_id>/", liquidations.liquidation, name="liquidation"),
    path("liquidations/<order:liquidation_id>/dispute/", liquidations.dispute, name="liquidation-dispute"),
    path("book/", risk.book, name="book"),
]
