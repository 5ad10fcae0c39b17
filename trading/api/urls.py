from django.urls import path

from trading.api import liquidations, margin, sub_accounts, views

urlpatterns = [
    path("accounts/", sub_accounts.OwnAccountListView.as_view()),
    path("accounts/transfer/", sub_accounts.TransferView.as_view()),
    path("account/", views.AccountView.as_view()),
    path("orders/", views.OrderListView.as_view()),
    path("orders/batch/", views.OrderBatchView.as_view()),
    path("orders/preview/", views.OrderPreviewView.as_view()),
    path("orders/by-client-id/<path:client_order_id>/", views.ClientOrderDetailView.as_view()),
    path("orders/<str:order_id>/", views.OrderDetailView.as_view()),
    path("fills/", views.FillListView.as_view()),
    path("transfers/", views.TransferListView.as_view()),
    path("funding/", views.FundingPaymentListView.as_view()),
    path("liquidations/", liquidations.LiquidationListView.as_view()),
    path("liquidations/<str:liquidation_id>/", liquidations.LiquidationDetailView.as_view()),
    path("insurance/", liquidations.InsuranceView.as_view()),
    path("deleveraging/", liquidations.DeleveragingView.as_view()),
    path("deleveraging/history/", liquidations.DeleveragingListView.as_view()),
    path("leverage/", views.LeverageView.as_view()),
    path("margin/explain/", margin.MarginExplainView.as_view()),
    path("margin/preview/", margin.MarginPreviewView.as_view()),
    path("margin-mode/", margin.MarginModeView.as_view()),
    path("isolated-margin/", margin.IsolatedMarginView.as_view()),
    path("dead-mans-switch/", views.DeadMansSwitchView.as_view()),
    path("markets/<str:symbol>/funding/", views.FundingRateListView.as_view()),
]
