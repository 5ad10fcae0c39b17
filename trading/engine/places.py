"""How positions stand in the queue of deleveraging. Asking changes nothing."""

from bisect import bisect_right

from markets.views import DeleveragingPlace
from risk.deleveraging import queue_ppm
from trading.engine import margin
from trading.engine.orders import user_account
from trading.engine.state import Holding, Market, State

Side = tuple[list[int], int]


def places(state: State, account_id: int) -> list[DeleveragingPlace]:
    account = user_account(state, account_id)
    if account is None:
        return []
    held = [account.holdings[market_id] for market_id in sorted(account.holdings)]
    return [place(state, holding) for holding in held if holding.size_lots]


def place(state: State, holding: Holding) -> DeleveragingPlace:
    market = holding.market
    ranked, side_profit = ranking(state, market)[0 if holding.size_lots > 0 else 1]
    own = max(0, margin.unrealised(holding))
    total = max(own, side_profit)
    return DeleveragingPlace(
        market_id=market.market_id,
        size_lots=holding.size_lots,
        profit_atoms=own,
        side_profit_atoms=total,
        share_ppm=queue_ppm(profit_atoms=own, side_profit_atoms=total),
        place=1 + len(ranked) - bisect_right(ranked, own),
        places=len(ranked),
    )


def ranking(state: State, market: Market) -> tuple[Side, Side]:
    """Return the rising unrealised profits of the longs and of the shorts and sums; taken anew once a second: it walks all holders."""
    second = state.stamp_ms // 1_000
    if market.ranked_second != second:
        longs: list[int] = []
        shorts: list[int] = []
        for holding in market.holders.values():
            (longs if holding.size_lots > 0 else shorts).append(max(0, margin.unrealised(holding)))
        longs.sort()
        shorts.sort()
        market.ranked_second = second
        market.ranked = ((longs, sum(longs)), (shorts, sum(shorts)))
    return market.ranked
