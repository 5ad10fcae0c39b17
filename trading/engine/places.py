"""How positions stand in the queue of deleveraging. Asking changes nothing."""

from markets.views import DeleveragingPlace
from risk.deleveraging import queue_ppm
from trading.engine import margin
from trading.engine.orders import user_account
from trading.engine.state import Holding, State


def places(state: State, account_id: int) -> list[DeleveragingPlace]:
    account = user_account(state, account_id)
    if account is None:
        return []
    held = [account.holdings[market_id] for market_id in sorted(account.holdings)]
    return [place(holding) for holding in held if holding.size_lots]


def place(holding: Holding) -> DeleveragingPlace:
    market = holding.market
    sign = 1 if holding.size_lots > 0 else -1
    profits = [max(0, margin.unrealised(other)) for other in market.holders.values() if other.size_lots * sign > 0]
    own = max(0, margin.unrealised(holding))
    total = sum(profits)
    return DeleveragingPlace(
        market_id=market.market_id,
        size_lots=holding.size_lots,
        profit_atoms=own,
        side_profit_atoms=total,
        share_ppm=queue_ppm(profit_atoms=own, side_profit_atoms=total),
        place=1 + sum(1 for profit in profits if profit > own),
        places=len(profits),
    )
