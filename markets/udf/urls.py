"""Addresses without a slash at their end: the client puts a name behind the datafeed's address."""

from django.urls import path

from markets.udf import views

urlpatterns = [
    path("config", views.ConfigView.as_view()),
    path("time", views.TimeView.as_view()),
    path("symbols", views.SymbolsView.as_view()),
    path("search", views.SearchView.as_view()),
    path("history", views.HistoryView.as_view()),
    path("marks", views.MarksView.as_view()),
    path("quotes", views.QuotesView.as_view()),
]
