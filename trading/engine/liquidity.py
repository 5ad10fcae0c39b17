"""Whether the book can fill an order completely, with everything that could stop a maker taken into account."""

from markets.units import charge
from trading.engine import margin
from trading.engine.book import Order
from trading.engine.signatures import permits
from trading.engine.state import Account, Holding, Market, State


class Tally:
    """What a maker would have given so far; `open_*` is the part that its open orders' totals count."""

    __slots__ = ("fee_atoms", "lots", "open_value", "position_lots", "value")

    def __init__(self, position_lots: int) -> None:
        self.position_lots: int = position_lots
        self.lots: int = 0
        self.value: int = 0
        self.fee_atoms: int = 0
        self.open_value: int = 0


def complete_value(state: State, market: Market, account: Account, sign: int, limit_ticks: int, lots: int, skip_own: bool) -> int:
    """Return price x lots of filling everything now, 0 when that is not possible.

    Own orders are skipped where self-trade prevention would expire them, else they end the walk.
    """
    tallies: dict[int, Tally] = {}
    missing = lots
    value = 0
    for maker in market.book.side(-sign).orders():
        if missing == 0 or sign * maker.price_ticks > sign * limit_ticks:
            break
        if maker.account is account:
            if not skip_own:
                break
            continue
        taken = makable(state, market, maker, missing, tallies)
        missing -= taken
        value += taken * maker.price_ticks
    return value if missing == 0 else 0


def makable(state: State, market: Market, maker: Order, wanted: int, tallies: dict[int, Tally]) -> int:
    """Return the lots that a maker's order can give after what its account has given already, and count them."""
    holding = maker.holding
    tally = tallies.setdefault(maker.account.account_id, Tally(holding.size_lots))
    lots = min(wanted, maker.remaining_lots)
    if maker.terms is not None and not permits(state, market, maker, maker.terms, lots, maker.price_ticks, market.parameters.maker_fee_ppm):
        return 0
    if maker.reduce_only:
        lots = min(lots, max(0, -maker.sign * tally.position_lots))
    fill = lots * maker.price_ticks
    fee = charge(fill * market.tick_lot_atoms, market.parameters.maker_fee_ppm)
    after = tally.position_lots + maker.sign * lots
    if abs(after) > abs(tally.position_lots) and not affords(state, holding, maker.sign, tally, lots, fill, fee):
        return 0
    if not maker.reduce_only:
        tally.open_value += fill
    tally.position_lots = after
    tally.lots += lots
    tally.value += fill
    tally.fee_atoms += fee
    return lots


def affords(state: State, holding: Holding, sign: int, tally: Tally, lots: int, fill: int, fee_atoms: int) -> bool:
    """Tell whether a maker can pay for a fill; what an isolated one lacks comes from its cross pool, as when it is filled."""
    free = margin.available_after_fill(
        state,
        holding,
        sign,
        tally.lots + lots,
        tally.value + fill,
        tally.fee_atoms + fee_atoms,
        tally.open_value + fill,
    )
    if free < 0 and holding.pool.market_id:
        free += margin.movable(state, holding.account.cross)
    return free >= 0
