from django.urls import include, path, register_converter

from trading.views import amend, desk, exits, history, margin, orders, positions


class OrderNumber:
    """An order's number in an address, no longer than the engine's own."""

    regex = "[1-9][0-9]{0,17}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(OrderNumber, "order")

app_name = "trading"
market = [
    path("", desk.trade, name="trade"),
    path("private/", desk.private, name="private"),
    path("candles/", desk.candles, name="candles"),
    path("history/", history.order_history, name="history"),
    path("fills/", history.fills, name="fills"),
    path("funding/", history.funding, name="funding"),
    path("orders/", orders.place, name="order-place"),
    path("preview/", orders.preview, name="order-preview"),
    path("orders/cancel-all/", orders.cancel_all, name="order-cancel-all"),
    path("orders/<order:order_id>/cancel/", orders.cancel, name="order-cancel"),
    path("orders/<order:order_id>/amend/", amend.amend, name="order-amend"),
    path("close/", positions.close, name="position-close"),
    path("reverse/", positions.reverse, name="position-reverse"),
    path("exits/", exits.exits, name="exits"),
    path("leverage/", margin.leverage, name="leverage"),
    path("leverage/preview/", margin.leverage_preview, name="leverage-preview"),
    path("isolated-margin/", margin.isolated, name="isolated"),
    path("isolated-margin/preview/", margin.isolated_preview, name="isolated-preview"),
]
urlpatterns = [
    path("trade/", desk.home, name="home"),
    path("trade/<str:symbol>/", include(market)),
]
