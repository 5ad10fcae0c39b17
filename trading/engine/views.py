"""Orders as they are shown outside the engine."""

from markets.views import OrderView
from trading.engine.book import Order


def order_view(order: Order) -> OrderView:
    command = order.command
    return OrderView(
        order_id=order.order_id,
        account_id=order.account.account_id,
        market_id=order.holding.market.market_id,
        client_order_id=command.client_order_id,
        side=command.side,
        type=command.type,
        time_in_force=command.time_in_force,
        post_only=command.post_only,
        reduce_only=command.reduce_only,
        close_position=command.close_position,
        self_trade_prevention=command.self_trade_prevention,
        price_ticks=order.price_ticks,
        size_lots=order.size_lots,
        filled_lots=order.size_lots - order.remaining_lots,
        filled_quote_atoms=order.filled_quote_atoms,
        fee_atoms=order.fee_atoms,
        trigger_ticks=order.trigger_ticks,
        trigger_by=command.trigger_by,
        good_till_ms=command.good_till_ms,
        parent_order_id=order.parent_order_id,
        link_id=command.link_id,
        status=order.status,
        reason=order.reason,
        created_ms=order.created_ms,
        updated_ms=order.updated_ms,
    )
