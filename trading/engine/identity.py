"""What makes two orders the same order."""

from hashlib import blake2b

import msgspec

from markets.commands import PlaceOrder

HASH_BYTES = 16


def content_hash(order: PlaceOrder) -> bytes:
    """Hash what an order asks for; its client id is the key it is compared under, its session and signature are not content."""
    content = (
        order.account_id,
        order.market_id,
        order.side,
        order.type,
        order.size_lots,
        order.price_ticks,
        order.time_in_force,
        order.good_till_ms,
        order.post_only,
        order.reduce_only,
        order.close_position,
        order.self_trade_prevention,
        order.trigger_ticks,
        order.trigger_by,
        order.take_profit_ticks,
        order.stop_loss_ticks,
        order.link_id,
    )
    return blake2b(msgspec.msgpack.encode(content), digest_size=HASH_BYTES).digest()
