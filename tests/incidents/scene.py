"""A desk on which the incidents of other venues happen again, and the bits of accounts that they must not touch."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from markets import ledger
from markets.assets import RiskParameters
from markets.commands import OpenAccount, SetLeverage, SetRiskParameters, Withdraw
from markets.views import Reply
from tests.engine.desk import ALICE, BOB, CHARLIE, MARKET, OTHER, USDC, Desk
from trading.engine import margin

FIRST_EXTRA = 1010


class Scene(Desk):
    """Charlie has money and nothing else: whatever happens, his account stays bit for bit as it was."""

    def __init__(self, *, insurance: int = 10_000, backstop: int = 10_000, leverage: int = 50, **options: Any) -> None:
        super().__init__(**options)
        self.do(SetRiskParameters(parameters=RiskParameters()))
        self.lever(leverage)
        for account_id, usdc in ((ledger.INSURANCE, insurance), (ledger.BACKSTOP, backstop)):
            if usdc:
                self.fund(account_id, usdc * USDC)

    def join(self, account_id: int, usdc: int, leverage: int = 50) -> int:
        self.do(OpenAccount(account_id=account_id))
        self.deposit(account_id, usdc * USDC)
        for market_id in (MARKET, OTHER):
            self.do(SetLeverage(account_id=account_id, market_id=market_id, leverage=leverage))
        return account_id

    def fall(self, ticks: int) -> list[Any]:
        """Bring the first market's index somewhere, say so twice, and return the events of both."""
        self.price(ticks)
        before = list(self.events)
        self.confirm()
        return before + list(self.events)

    def slide(self, ticks: int, *, steps: int) -> list[Any]:
        """Move the index there by the same factor each second; return all events."""
        start = self.engine.state.markets[MARKET].index_ticks()
        found: list[Any] = []
        for step in range(1, steps + 1):
            self.now_ms += 1_000
            found += self.fall(round(start * (ticks / start) ** (step / steps)))
        return found

    def cash(self, account_id: int) -> int:
        return self.engine.state.accounts[account_id].usdc_atoms()

    def equity(self, account_id: int) -> int:
        return margin.equity(self.engine.state, self.engine.state.accounts[account_id].cross)

    def withdrawable(self, account_id: int) -> int:
        return self.account(account_id).withdrawable_atoms

    def withdraw(self, account_id: int, amount_atoms: int) -> Reply:
        return self.do(Withdraw(account_id=account_id, asset="USDC", amount_atoms=amount_atoms, target_account_id=ledger.FAUCET))

    def bits(self, account_id: int) -> bytes:
        account = self.engine.state.accounts[account_id]
        pools = [(pool.market_id, pool.cash_atoms, sorted(pool.collateral.items())) for pool in account.pools()]
        return msgspec.msgpack.encode((self.account(account_id), pools))

    @contextmanager
    def untouched(self, *account_ids: int) -> Iterator[None]:
        """Hold that accounts without positions come out bit-exact."""
        before = {account_id: self.bits(account_id) for account_id in account_ids or (CHARLIE,)}
        yield
        assert {account_id: self.bits(account_id) for account_id in before} == before


def of_kind(events: list[Any], name: str) -> list[Any]:
    return [event for event in events if type(event).__name__ == name]


__all__ = ["ALICE", "BOB", "CHARLIE", "FIRST_EXTRA", "MARKET", "OTHER", "USDC", "Scene", "of_kind"]
