"""What an account on chain is worth and needs: the twin of perp_dex's `health.rs`, and of the rules that liquidations and calls go by."""

from collections.abc import Mapping
from dataclasses import dataclass

from chain.keepers.accounts import MAX_POSITIONS, Holdings, User
from chain.keepers.prices import Market
from markets.units import value_at_price_e8
from risk.margin import initial_margin, maintenance_margin

ANY_LEVERAGE = 2**32 - 1  # what accounts choose in the engine is not known on chain: the tiers alone decide
Markets = Mapping[int, Market]


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """In quote atoms; equity is at strict prices: of price and average the worse for the owner."""

    equity: int
    initial: int
    maintenance: int

    @property
    def free(self) -> int:
        return self.equity - self.initial

    @property
    def excess(self) -> int:
        """Return equity above maintenance; negative: the account can be liquidated."""
        return self.equity - self.maintenance


def value(market: Market, lots: int, price_e8: int) -> int:
    return value_at_price_e8(size_lots=lots, price_e8=price_e8, lot_e8=market.lot_e8)


def strict_value(market: Market, lots: int) -> int:
    worse = min if lots >= 0 else max
    return value(market, lots, worse(market.price_e8, market.average_e8))


def health_of(held: Holdings, markets: Markets, now_s: int) -> Health | None:
    """Return None where a price is missing, old or not agreed enough: then the programs do not tell either."""
    equity, initial, maintenance = held.quote, 0, 0
    for market_id, lots in held.lots.items():
        market = markets.get(market_id)
        if market is None or not market.fresh(now_s) or not market.may_withdraw:
            return None
        notional = abs(value(market, lots, market.price_e8))
        equity += strict_value(market, lots)
        initial += initial_margin(notional_atoms=notional, leverage=ANY_LEVERAGE, tiers=market.tiers)
        maintenance += maintenance_margin(notional_atoms=notional, tiers=market.tiers)
    return Health(equity=equity, initial=initial, maintenance=maintenance)


def healths(user: User, markets: Markets, now_s: int) -> list[Health] | None:
    """Return the account's figures as it is and in every state that pending batches may bring."""
    found = [health_of(outlook, markets, now_s) for outlook in user.outlooks]
    known = [health for health in found if health is not None]
    return known if len(known) == len(found) else None


def least_free(user: User, markets: Markets, now_s: int) -> int | None:
    """Return the least that opening leaves free; None where it cannot be told, or where there are too many positions."""
    found = healths(user, markets, now_s)
    if found is None or any(len(outlook.lots) > MAX_POSITIONS for outlook in user.outlooks):
        return None
    return min(health.free for health in found)


def prices_are_sure(user: User, markets: Markets) -> bool:
    """Whether the prices of all its positions may decide that an account is liquidated."""
    return all(market_id in markets and markets[market_id].may_liquidate for market_id in user.market_ids)


def shortage(user: User, markets: Markets, now_s: int) -> Health | None:
    """Return the figures of an account that is below maintenance now and in all its outlooks, by prices that may decide it; else None."""
    found = healths(user, markets, now_s) if prices_are_sure(user, markets) else None
    if found is None or not all(outlook.lots for outlook in user.outlooks):
        return None
    return found[0] if all(health.excess < 0 for health in found) else None


def worst(user: User, markets: Markets, now_s: int) -> Health | None:
    """Return the figures of the outlook in which the account is closest to its maintenance margin: what a margin call records."""
    found = healths(user, markets, now_s)
    return min(found, key=lambda health: health.excess) if found else None


def deficit_atoms(user: User) -> int:
    """Return what an account without positions is below zero for sure, over all its outlooks; 0 where it is not, or asked to leave."""
    if user.exit_is_open:
        return 0
    return min(0 if outlook.lots or any(outlook.balances[1:]) else max(0, -outlook.quote) for outlook in user.outlooks)
