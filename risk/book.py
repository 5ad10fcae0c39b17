"""All margin pools as columns of numbers, read from the engine's committed state, for reports in floats."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from accounts.models import Account
from markets.assets import USDT_INDEX_ID
from markets.gateway import gateway
from markets.ledger import FIRST_USER_ACCOUNT, INSURANCE
from markets.queries import GetAccount, GetExposures
from markets.selectors import markets
from markets.units import QUOTE_ATOMS
from markets.views import Exposure
from risk.stress import Pools

Floats = NDArray[np.float64]

STABLE = frozenset({"USDT"})
PAGE_ACCOUNTS = 250  # one question to the engine, which does nothing else meanwhile


@dataclass(frozen=True, slots=True)
class RiskBook:
    """Row by row the pools' account and market (0 for cross); column by column the indices, with the names of their assets."""

    account_ids: tuple[int, ...]
    market_ids: tuple[int, ...]
    index_ids: tuple[int, ...]
    assets: tuple[str, ...]
    pools: Pools
    notional: Floats
    initial: Floats

    def of_account(self, account_id: int) -> "RiskBook":
        return self.chosen([row for row, number in enumerate(self.account_ids) if number == account_id])

    def chosen(self, rows: Sequence[int]) -> "RiskBook":
        """Return the book of some rows, in their order."""
        picked = np.array(rows, dtype=np.intp)
        return RiskBook(
            tuple(self.account_ids[row] for row in rows),
            tuple(self.market_ids[row] for row in rows),
            self.index_ids,
            self.assets,
            Pools(*(column[picked] for column in self.pools)),
            self.notional[picked],
            self.initial[picked],
        )


def read_book() -> RiskBook:
    """Read every account's pools, page by page; pages may be a few batches apart."""
    last = Account.objects.order_by("-id").values_list("id", flat=True).first() or 0
    found: list[Exposure] = []
    for first in range(FIRST_USER_ACCOUNT, last + 1, PAGE_ACCOUNTS):
        found += gateway().query(GetExposures(first_account_id=first, last_account_id=min(first + PAGE_ACCOUNTS - 1, last)))
    return book_of(found, _assets())


def read_account(account_id: int) -> RiskBook:
    """Read one account's pools."""
    return book_of(gateway().query(GetExposures(first_account_id=account_id, last_account_id=account_id)), _assets())


def insurance_atoms() -> int:
    """Return what the insurance fund has, in USDC."""
    view = gateway().query(GetAccount(account_id=INSURANCE))
    return view.balances.get("USDC", 0) if view else 0


def book_of(exposures: Sequence[Exposure], assets: dict[int, str]) -> RiskBook:
    """Arrange exposures as rows and columns; an index that no market names keeps its number as its name.

    A stablecoin has no column: what it counts for stays in equity, as if it kept its peg.
    """
    named = {price.index_id for row in exposures for price in row.prices if assets.get(price.index_id) not in STABLE}
    index_ids = tuple(sorted(named))
    column = {index_id: place for place, index_id in enumerate(index_ids)}
    delta, slope, notional = (np.zeros((len(exposures), len(index_ids))) for _ in range(3))
    for row, exposure in enumerate(exposures):
        for price in exposure.prices:
            if price.index_id not in column:
                continue
            delta[row, column[price.index_id]] += price.delta_atoms / QUOTE_ATOMS
            slope[row, column[price.index_id]] += price.slope_atoms / QUOTE_ATOMS
            notional[row, column[price.index_id]] += price.notional_atoms / QUOTE_ATOMS
    equity, maintenance, initial = (
        np.array([getattr(row, name) for row in exposures], dtype=np.float64) / QUOTE_ATOMS
        for name in ("equity_atoms", "maintenance_margin_atoms", "initial_margin_atoms")
    )
    return RiskBook(
        tuple(row.account_id for row in exposures),
        tuple(row.market_id for row in exposures),
        index_ids,
        tuple(assets.get(index_id, str(index_id)) for index_id in index_ids),
        Pools(equity, maintenance, delta, slope),
        notional,
        initial,
    )


def _assets() -> dict[int, str]:
    return {view.parameters.market_id: view.parameters.base_asset for view in markets()} | {USDT_INDEX_ID: "USDT"}
