"""Who keeps: any funded key, and what its holder wants to be done with it."""

from collections.abc import Iterable
from dataclasses import dataclass

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from chain.keepers.programs import Programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """`sub_account`: of the key's own account, with which it takes positions over, where it has one. `orders` (to be auctioned) and `bids`
    (its own answers, under its bond): files or addresses of signed orders."""

    programs: Programs
    key: Pubkey
    sub_account: int = 0
    falls_back: bool = False
    freezes: bool = False
    pyth_shard: int = 0
    orders: str = ""
    bids: str = ""

    @property
    def account(self) -> Pubkey:
        return self.programs.user(self.key, self.sub_account)

    def dex(self, name: str, accounts: dict[str, Pubkey], more: Iterable[AccountMeta] = ()) -> Instruction:
        """Return an instruction of the exchange that takes no arguments."""
        return self.programs.dex.instruction(name, {}, {"exchange": self.programs.exchange} | accounts, more)
