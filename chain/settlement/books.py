"""What the chain is told of each account: USDC less the costs of its positions, and lots. Pure.

A trade moves its whole value through this balance, so it changes by what every leaf says, and all balances sum to zero but for the
accounts in NOT_ON_CHAIN: clearing's counterpart are the costs, and custody's and pending withdrawals' is the vault itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from chain.settlement.leaves import Leaf
from markets.ledger import CLEARING, CUSTODY, PENDING_WITHDRAWALS
from markets.signed_orders import decode, take_apart

MOVED_ON_CHAIN: Final = frozenset({CUSTODY, PENDING_WITHDRAWALS})  # transfers with these are deposits and withdrawals of the vault
NOT_ON_CHAIN: Final = MOVED_ON_CHAIN | {CLEARING}


@dataclass(slots=True)
class Book:
    """One account. Positions are (lots, cost) by market; those without lots are left out."""

    balance_atoms: int = 0
    positions: dict[int, tuple[int, int]] = field(default_factory=dict)

    def lots(self, market_id: int) -> int:
        return self.positions.get(market_id, (0, 0))[0]

    def resize(self, market_id: int, lots: int, cost_atoms: int) -> None:
        if lots:
            self.positions[market_id] = (lots, cost_atoms)
        else:
            self.positions.pop(market_id, None)


@dataclass(frozen=True, slots=True)
class MarketFigures:
    tick_lot_atoms: int
    lot_e8: int
    liquidation_fee_ppm: int


@dataclass(slots=True)
class SignedOrder:
    """An order as its owner signed it, and how much of it was filled."""

    digest: bytes
    account_id: int
    order_id: int
    signed: bytes  # the order's bytes, the key and the signature
    filled_lots: int = 0
    _fee_cap_ppm: int = -1

    @property
    def fee_cap_ppm(self) -> int:
        """Return what may be charged at most; read once."""
        if self._fee_cap_ppm < 0:
            self._fee_cap_ppm = decode(take_apart(self.signed).data).fee_cap_ppm
        return self._fee_cap_ppm


@dataclass(frozen=True, slots=True)
class FundingTerms:
    hour: int
    index_e8: int
    rate_ppb: int


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What one batch says: leaves by account, and the funding that some of them are of."""

    leaves: Mapping[int, tuple[Leaf, ...]]
    funding: Mapping[int, FundingTerms]
    last_trade_id: int
    unproven: int  # deleveragings against accounts of the custodian: nothing on chain shows why
    traded: tuple[int, ...] = ()  # the chain's own trades, by the numbers of its events, that the books have taken in
