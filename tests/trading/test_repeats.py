"""A placement whose first time was so long ago that the engine knows only that it was carried out."""

from datetime import UTC, datetime

import pytest

from markets.commands import PlaceOrder
from markets.views import Reply
from trading.models import Order, UsedClientOrderId
from trading.services.repeats import OrderArchived, placed_order

CREATED = datetime(2026, 11, 1, 12, 0, 0, 123_000, tzinfo=UTC)
COMMAND = PlaceOrder(
    account_id=1000, market_id=1, side="buy", type="limit", size_lots=10, price_ticks=99, client_order_id="mine", time_in_force="ioc"
)


def record(*, with_row: bool) -> None:
    UsedClientOrderId.objects.create(account_id=1000, client_order_id="mine", order_id=7, content_hash=b"16 bytes of hash")
    if with_row:
        Order.objects.create(
            id=7,
            account_id=1000,
            market_id=1,
            client_order_id="mine",
            side="buy",
            type="limit",
            time_in_force="ioc",
            post_only="none",
            reduce_only=False,
            close_position=False,
            self_trade_prevention="expire_maker",
            price_ticks=99,
            size_lots=10,
            filled_lots=4,
            filled_quote_atoms=396,
            fee_atoms=1,
            trigger_ticks=0,
            trigger_by="mark",
            good_till_ms=0,
            parent_order_id=0,
            link_id=0,
            status="cancelled",
            reason="ioc",
            created_at=CREATED,
            updated_at=CREATED,
        )


@pytest.mark.django_db
def test_it_reads_an_order_of_long_ago_from_the_tables() -> None:
    record(with_row=True)
    view = placed_order(Reply(seq=5), COMMAND)
    assert (view.order_id, view.status, view.reason, view.filled_lots) == (7, "cancelled", "ioc", 4)
    assert view.created_ms == 1_793_534_400_123


@pytest.mark.django_db
def test_it_says_so_when_the_row_is_gone() -> None:
    record(with_row=False)
    with pytest.raises(OrderArchived) as raised:
        placed_order(Reply(seq=5), COMMAND)
    assert raised.value.data == {"client_order_id": "mine"}
