"""What is due by a batch's stamp, before its first command."""

from heapq import heappop

from markets.events import DeadMansSwitchSet
from trading.engine import lease, lives, marks, signatures
from trading.engine.firing import fire_due
from trading.engine.funding import pay_due
from trading.engine.orders import cancel_orders
from trading.engine.state import MEMORY_MS, State


def run_due(state: State) -> None:
    if state.lease_ms:
        lease.lapse(state)
    pay_due(state)
    expire_orders(state)
    trip_dead_men(state)
    marks.age(state)
    fire_due(state)


def forget(state: State) -> None:
    """Drop ended and refused orders, and their client ids, after their ten minutes.

    This is done at a batch's end, so that an id that was known before a batch is known throughout it: whoever looks for
    unknown ids elsewhere can rely on that.
    """
    oldest = state.stamp_ms - MEMORY_MS
    while state.ended and state.ended[0].updated_ms <= oldest:
        order = state.ended.popleft()
        del state.orders[order.order_id]
        del order.account.client_ids[order.command.client_order_id]
    while state.known_ids and state.known_ids[0].ended_ms <= oldest:
        known = state.known_ids.popleft()
        del state.accounts[known.account_id].client_ids[known.client_order_id]
    while state.rejections and state.rejections[0].refused_ms <= oldest:
        entry = state.rejections.popleft()
        del state.accounts[entry.account_id].client_ids[entry.client_order_id]
    if state.signed_expiries:
        signatures.forget(state)


def expire_orders(state: State) -> None:
    heap = state.expiries
    while heap and heap[0][0] <= state.stamp_ms:
        order = state.orders.get(heappop(heap)[1])
        if order is not None and lives.is_live(order) and order.ends_ms() <= state.stamp_ms:  # else it was signed anew
            lives.cancel(state, order, "expired")


def trip_dead_men(state: State) -> None:
    """Cancel the orders of accounts that did not renew their dead-man's switch in time."""
    if not state.dead_men or state.stamp_ms < state.dead_men_due_ms:
        return
    for account_id in sorted(state.dead_men):
        if state.dead_men[account_id] <= state.stamp_ms:
            account = state.accounts[account_id]
            del state.dead_men[account_id]
            account.dead_man_ms = 0
            state.touched.add(account_id)
            state.events.append(DeadMansSwitchSet(account_id=account_id, due_ms=0))
            cancel_orders(state, account, "dead_mans_switch")
    state.dead_men_due_ms = min(state.dead_men.values(), default=0)
