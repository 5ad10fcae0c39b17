"""The exchange's programs as anybody knows them: by their IDLs, without a file of the operator's."""

from functools import cache
from pathlib import Path

from solders.pubkey import Pubkey

from chain.idl import AnchorProgram

NAMES = ("perp_dex", "oracle", "risk", "liquidation", "jit")


@cache
def programs_in(folder: Path) -> "Programs":
    """Return the programs, read once: coders take their time."""
    return Programs(folder=folder)


class Programs:
    """`folder` holds the IDLs of the exchange that is kept."""

    def __init__(self, *, folder: Path) -> None:
        self.dex, self.oracle, self.risk, self.liquidation, self.jit = (AnchorProgram(name, folder=folder) for name in NAMES)
        self.exchange = self.dex.pda(b"exchange")
        self.fund = self.liquidation.pda(b"fund")
        self.fund_vault = self.liquidation.pda(b"vault")
        self.terms = self.jit.pda(b"terms")

    def user(self, owner: Pubkey, sub_account: int = 0) -> Pubkey:
        return self.dex.pda(b"user", bytes(owner), sub_account.to_bytes(2, "little"))

    def asset(self, mint: Pubkey) -> dict[str, Pubkey]:
        """Return the accounts of a listed asset, as instructions name them."""
        seeds = {"asset": b"asset", "vault": b"vault", "vault_authority": b"vault_authority"}
        return {name: self.dex.pda(seed, bytes(mint)) for name, seed in seeds.items()}

    def trading_key(self, user: Pubkey, key: bytes) -> Pubkey:
        return self.dex.pda(b"key", bytes(user), key)

    def fills(self, order: bytes) -> Pubkey:
        return self.dex.pda(b"fills", order)

    def margin_call(self, user: Pubkey) -> Pubkey:
        return self.risk.pda(b"margin_call", bytes(user))

    def recovery(self, user: Pubkey) -> Pubkey:
        return self.liquidation.pda(b"recovery", bytes(user))

    def history(self, user: Pubkey) -> Pubkey:
        return self.liquidation.pda(b"history", bytes(user))

    def liquidation_of(self, user: Pubkey, number: int) -> Pubkey:
        return self.liquidation.pda(b"liquidation", bytes(user), number.to_bytes(8, "little"))

    def auction(self, order: bytes) -> Pubkey:
        return self.jit.pda(b"auction", order)

    def pool_owner(self, pool: Pubkey) -> Pubkey:
        """Return the address that owns a liquidity pool's vault, and its account of the exchange."""
        return self.jit.pda(b"pool_owner", bytes(pool))

    def bid(self, auction: Pubkey, user: Pubkey) -> Pubkey:
        return self.jit.pda(b"bid", bytes(auction), bytes(user))
