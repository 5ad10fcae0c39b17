"""What the chain says now, as far as a keeper's jobs ask: each part is read once, when it is first needed."""

import struct
from functools import cached_property
from typing import Any, Final

from solders.pubkey import Pubkey

from chain.client import ChainClient
from chain.idl import AnchorProgram, WrongAccount
from chain.keepers.accounts import FROZEN, INSURANCE_SUB_ACCOUNT, User, user_of
from chain.keepers.prices import Market, feed_of, market_of
from chain.keepers.programs import Programs

CLOCK: Final = Pubkey.from_string("SysvarC1ock11111111111111111111111111111111")
CLOCK_LAYOUT: Final = struct.Struct("<QqQQq")  # slot, epoch's start, epoch, schedule's epoch, time


class Sight:
    """Of confirmed blocks. The time is the chain's own clock: what is due there is due by it."""

    def __init__(self, programs: Programs, client: ChainClient) -> None:
        self.programs, self.client = programs, client
        exchange, clock = client.accounts([programs.exchange, CLOCK], commitment="confirmed")
        if clock is None:
            raise WrongAccount("This node does not tell the chain's clock.")
        self.exchange: Any = programs.dex.account("Exchange", exchange)
        self.slot, _, _, _, self.now_s = CLOCK_LAYOUT.unpack_from(bytes(clock.data))

    @property
    def phase(self) -> str:
        return type(self.exchange.phase).__name__

    @property
    def is_fallback(self) -> bool:
        """Whether anyone may act for the operator, who is not in the middle of a batch."""
        return self.phase == "Fallback" and not self.exchange.batch_open

    @property
    def is_frozen(self) -> bool:
        return self.phase in FROZEN

    @cached_property
    def markets(self) -> dict[int, Market]:
        """Return the markets by their ids, as they are."""
        found = self.all("perp_dex", "Market")
        keys = [market.feed for _, market in found]
        feeds = self.client.accounts(keys, commitment="confirmed")
        made = [
            market_of(key, market, feed_of(at, self.programs.oracle.account("Feed", feed)))
            for (key, market), at, feed in zip(found, keys, feeds, strict=True)
        ]
        return {market.market_id: market for market in sorted(made, key=lambda market: market.market_id)}

    @cached_property
    def observed(self) -> dict[int, Market]:
        """Return the markets as they are once they have observed their feeds."""
        if self.is_frozen:
            return self.markets
        return {market_id: market.observed(self.now_s) for market_id, market in self.markets.items()}

    @cached_property
    def users(self) -> dict[Pubkey, User]:
        return {key: self._user(key, found) for key, found in self.all("perp_dex", "User")}

    def users_at(self, keys: list[Pubkey]) -> dict[Pubkey, User]:
        return {key: self._user(key, found) for key, found in self.some("perp_dex", "User", keys).items()}

    def is_insurance(self, user: User) -> bool:
        return bool(user.owner == self.exchange.insurance_owner and user.sub_account == INSURANCE_SUB_ACCOUNT)

    def is_custodied(self, user: User) -> bool:
        """Whether the operator changes it without its owner's signature."""
        return bool(user.owner == self.exchange.custodian) or self.is_insurance(user)

    def all(self, program: str, kind: str) -> list[tuple[Pubkey, Any]]:
        """Return every account of one kind."""
        known = self._program(program)
        owned = self.client.owned(known.id, known.discriminator(kind), commitment="confirmed")
        return [(key, known.account(kind, account)) for key, account in owned]

    def one(self, program: str, kind: str, key: Pubkey) -> Any | None:
        account = self.client.account(key, commitment="confirmed")
        return None if account is None else self._program(program).account(kind, account)

    def some(self, program: str, kind: str, keys: list[Pubkey]) -> dict[Pubkey, Any]:
        """Return those of the accounts that exist."""
        found = self.client.accounts(keys, commitment="confirmed")
        known = self._program(program)
        return {key: known.account(kind, account) for key, account in zip(keys, found, strict=True) if account is not None}

    def _program(self, name: str) -> AnchorProgram:
        programs = self.programs
        return {one.name: one for one in (programs.dex, programs.oracle, programs.risk, programs.liquidation, programs.jit)}[name]

    def _user(self, key: Pubkey, found: Any) -> User:
        return user_of(key, found, final_epoch=self.exchange.final_epoch, frozen=self.is_frozen)
