from django.urls import path

from markets.api import assets, views

urlpatterns = [
    path("time/", views.TimeView.as_view()),
    path("assets/", assets.AssetListView.as_view()),
    path("markets/", views.MarketListView.as_view()),
    path("markets/overview/", views.MarketOverviewView.as_view()),
    path("markets/<str:symbol>/", views.MarketDetailView.as_view()),
    path("markets/<str:symbol>/book/", views.BookDetailView.as_view()),
    path("markets/<str:symbol>/trades/", views.TradeListView.as_view()),
    path("markets/<str:symbol>/candles/", views.CandleListView.as_view()),
    path("markets/<str:symbol>/open-interest/", views.OpenInterestListView.as_view()),
    path("tickers/", views.TickerListView.as_view()),
    path("tickers/<str:symbol>/", views.TickerDetailView.as_view()),
]
