"""A placement that repeats one of long ago: the engine knows that it was carried out, only the tables know what came of it."""

from markets.commands import PlaceOrder
from markets.errors import DomainError
from markets.stamps import ms
from markets.views import OrderView, Reply
from trading.models import Order
from trading.selectors import order_by_client_id

COPIED = tuple(
    name for name in OrderView.__struct_fields__ if name not in {"order_id", "account_id", "market_id", "created_ms", "updated_ms"}
)


class OrderArchived(DomainError):
    """The order ended so long ago that its row is gone; the journal still has it."""

    code = "ORDER_ARCHIVED"
    status = 410
    message = "This client order id was used for the same order, which ended too long ago to be shown."


def placed_order(reply: Reply, command: PlaceOrder) -> OrderView:
    """Return the order of an accepted placement, from the tables where the engine no longer holds it."""
    if reply.orders:
        return reply.orders[0]
    row = order_by_client_id(command.account_id, command.client_order_id)
    if row is None:
        raise OrderArchived(client_order_id=command.client_order_id)
    return order_view(row)


def order_view(row: Order) -> OrderView:
    same = {name: getattr(row, name) for name in COPIED}
    return OrderView(
        order_id=row.id,
        account_id=row.account_id,
        market_id=row.market_id,
        created_ms=ms(row.created_at),
        updated_ms=ms(row.updated_at),
        **same,
    )
