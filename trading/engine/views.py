"""Orders as they are shown outside the engine."""

from markets.views import OrderView
from trading.engine.book import Order


def order_view(order: Order) -> OrderView:
    command = order.command
    return OrderView(  # by position: see there
        order.order_id,
        order.account.account_id,
        order.holding.market.market_id,
        command.client_order_id,
        command.side,
        command.type,
        command.time_in_force,
        command.post_only,
        command.reduce_only,
        command.close_position,
        command.self_trade_prevention,
        order.price_ticks,
        order.size_lots,
        order.size_lots - order.remaining_lots,
        order.filled_quote_atoms,
        order.fee_atoms,
        order.trigger_ticks,
        command.trigger_by,
        command.good_till_ms,
        order.parent_order_id,
        command.link_id,
        order.status,
        order.reason,
        order.created_ms,
        order.updated_ms,
    )
