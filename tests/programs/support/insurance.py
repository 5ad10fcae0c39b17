"""The liquidation program over an exchange: Bob stakes, Charlie is the stranger, the exchange's authority decides disputes."""

from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.transaction_metadata import TransactionMetadata

from tests.programs.support.exchange import HOUR_S, USDC, Exchange
from tests.programs.support.idl import Program
from tests.programs.support.prices import program_key
from tests.programs.support.svm import INSTRUCTIONS, SYSTEM, TOKEN

DAY_S = 24 * HOUR_S
PARAMETERS: dict[str, Any] = {
    "cooldown_s": 13 * DAY_S,
    "claim_s": 3 * DAY_S,
    "min_stake_atoms": USDC,
    "recovery_delay_s": HOUR_S,
    "event_atoms": 5_000 * USDC,
    "day_atoms": 6_000 * USDC,
    "bond_atoms": 100 * USDC,
    "award_atoms": 1_000 * USDC,
    "dispute_s": 7 * DAY_S,
    "decision_s": 3 * DAY_S,
    "first_ppm": 100_000,
    "slot_ppm": 1_000,
    "open_slots": 1_500,
    "small_atoms": 1_000 * USDC,
}


class Insurance:
    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.program = Program("liquidation")
        exchange.chain.add(self.program)
        self.fund = self.program.pda(b"fund")
        self.vault = self.program.pda(b"vault")

    def initialise(self, *, signer: Keypair | None = None, asset: int = 0, **changes: Any) -> None:
        signer = signer or program_key("liquidation")
        payer = self.exchange.payer
        listed = self.exchange.asset_accounts(asset)
        accounts = {"payer": payer.pubkey(), "program": signer.pubkey(), "asset": listed["asset"], "mint": listed["mint"]}
        self.send("initialise", {"parameters": PARAMETERS | changes}, accounts, [payer, signer])

    # What stakers do.

    def stake(self, owner: Keypair, amount: int, **accounts: Pubkey) -> None:
        named = {"owner": owner.pubkey(), "source": self.exchange.wallet(owner), "stake": self.stake_of(owner)}
        self.send("stake", {"amount": amount}, named | accounts, [owner])

    def request(self, owner: Keypair, shares: int | None = None, *, signer: Keypair | None = None) -> None:
        signer = signer or owner
        shares = self.stakes(owner)["shares"] if shares is None else shares
        self.send("request_unstake", {"shares": shares}, {"owner": signer.pubkey(), "stake": self.stake_of(owner)}, [signer])

    def cancel(self, owner: Keypair, *, signer: Keypair | None = None) -> None:
        signer = signer or owner
        self.send("cancel_unstake", {}, {"owner": signer.pubkey(), "stake": self.stake_of(owner)}, [signer])

    def unstake(self, owner: Keypair, *, signer: Keypair | None = None, **accounts: Pubkey) -> int:
        """Return what was paid."""
        signer = signer or owner
        wallet = self.exchange.wallet(owner)
        before = self.exchange.chain.tokens(wallet)
        named = {"owner": signer.pubkey(), "stake": self.stake_of(owner), "destination": wallet}
        self.send("unstake", {}, named | accounts, [signer])
        return self.exchange.chain.tokens(wallet) - before

    def leave(self, owner: Keypair) -> int:
        """Request everything, wait, and return what was paid."""
        self.request(owner)
        self.exchange.chain.warp(seconds=PARAMETERS["cooldown_s"])
        return self.unstake(owner)

    def contribute(self, by: Keypair, amount: int, **accounts: Pubkey) -> None:
        self.send("contribute", {"amount": amount}, {"contributor": by.pubkey(), "source": self.exchange.wallet(by)} | accounts, [by])

    # What anyone does about a loss.

    def open_recovery(self, owner: Keypair, **accounts: Pubkey) -> None:
        named = {"opener": self.exchange.charlie.pubkey(), "user": self.exchange.user(owner), "recovery": self.recovery_of(owner)}
        self.send("open_recovery", {}, named | accounts, [self.exchange.charlie])

    def recover(self, owner: Keypair, **accounts: Pubkey) -> None:
        listed = self.exchange.asset_accounts(0)
        named = {
            "asset": listed["asset"],
            "dex_vault": listed["vault"],
            "user": self.exchange.user(owner),
            "recovery": self.recovery_of(owner),
        }
        self.send("recover", {}, named | accounts, [self.exchange.charlie])

    def close_recovery(self, owner: Keypair, **accounts: Pubkey) -> None:
        named = {"opener": self.exchange.charlie.pubkey(), "user": self.exchange.user(owner), "recovery": self.recovery_of(owner)}
        self.send("close_recovery", {}, named | accounts, [self.exchange.bob])

    # What liquidators and the liquidated do.

    def begin(self, owner: Keypair, *, number: int = 1, more: list[AccountMeta] | None = None, **accounts: Pubkey) -> None:
        named = self._liquidation(owner, number) | {"opener": self.exchange.charlie.pubkey()}
        self.send("begin_liquidation", {}, named | accounts, [self.exchange.charlie], self.prices() if more is None else more)

    def step(
        self,
        owner: Keypair,
        liquidator: Keypair,
        lots: int,
        *,
        number: int = 1,
        more: list[AccountMeta] | None = None,
        taken_by: Keypair | None = None,
    ) -> None:
        named = self._liquidation(owner, number) | {
            "owner": liquidator.pubkey(),
            "market": self.exchange.market(),
            "liquidator": self.exchange.user(taken_by or liquidator),
        }
        self.send("step_liquidation", {"lots": lots}, named, [liquidator], self.prices() if more is None else more)

    def end(self, owner: Keypair, *, number: int = 1, **accounts: Pubkey) -> None:
        self.send("end_liquidation", {}, self._liquidation(owner, number) | accounts, [self.exchange.charlie], self.prices())

    def dispute(self, owner: Keypair, claim: int, *, number: int = 1, signer: Keypair | None = None, **accounts: Pubkey) -> None:
        signer = signer or owner
        liquidation = self.liquidation_of(owner, number)
        named = {
            "owner": signer.pubkey(),
            "source": self.exchange.wallet(signer),
            "liquidation": liquidation,
            "dispute": self.dispute_of(owner, number),
        }
        self.send("open_dispute", {"claim_atoms": claim}, named | accounts, [signer])

    def decide(self, owner: Keypair, award: int, *, number: int = 1, arbiter: Keypair | None = None) -> None:
        arbiter = arbiter or self.exchange.authority
        accounts = {"authority": arbiter.pubkey(), "dispute": self.dispute_of(owner, number)}
        self.send("decide_dispute", {"award_atoms": award}, accounts, [arbiter])

    def close_dispute(self, owner: Keypair, *, number: int = 1, paid_to: Keypair | None = None, **accounts: Pubkey) -> int:
        """Return what was paid."""
        paid_to = paid_to or owner
        wallet = self.exchange.wallet(paid_to)
        before = self.exchange.chain.tokens(wallet)
        named = {"owner": paid_to.pubkey(), "destination": wallet, "dispute": self.dispute_of(owner, number)}
        self.send("close_dispute", {}, named | accounts, [self.exchange.charlie])
        return self.exchange.chain.tokens(wallet) - before

    # Where things are, and what they say.

    def stake_of(self, owner: Keypair) -> Pubkey:
        return self.program.pda(b"stake", bytes(owner.pubkey()))

    def recovery_of(self, owner: Keypair) -> Pubkey:
        return self.program.pda(b"recovery", bytes(self.exchange.user(owner)))

    def history_of(self, owner: Keypair) -> Pubkey:
        return self.program.pda(b"history", bytes(self.exchange.user(owner)))

    def liquidation_of(self, owner: Keypair, number: int = 1) -> Pubkey:
        return self.program.pda(b"liquidation", bytes(self.exchange.user(owner)), number.to_bytes(8, "little"))

    def dispute_of(self, owner: Keypair, number: int = 1) -> Pubkey:
        return self.program.pda(b"dispute", bytes(self.liquidation_of(owner, number)))

    def state(self) -> dict[str, Any]:
        return self._read("Fund", self.fund)

    def stakes(self, owner: Keypair) -> dict[str, Any]:
        return self._read("Stake", self.stake_of(owner))

    def recovery(self, owner: Keypair) -> dict[str, Any]:
        return self._read("Recovery", self.recovery_of(owner))

    def liquidation(self, owner: Keypair, number: int = 1) -> dict[str, Any]:
        return self._read("Liquidation", self.liquidation_of(owner, number))

    def vault_atoms(self) -> int:
        return self.exchange.chain.tokens(self.vault)

    def prices(self) -> list[AccountMeta]:
        """Markets, then their feeds."""
        keys = (self.exchange.market(), self.exchange.prices.feed())
        return [AccountMeta(key, is_signer=False, is_writable=False) for key in keys]

    def _liquidation(self, owner: Keypair, number: int) -> dict[str, Pubkey]:
        return {
            "user": self.exchange.user(owner),
            "history": self.history_of(owner),
            "liquidation": self.liquidation_of(owner, number),
        }

    def _read(self, kind: str, address: Pubkey) -> dict[str, Any]:
        return self.program.account(kind, self.exchange.chain.data(address))

    def instruction(
        self, name: str, arguments: dict[str, Any], accounts: dict[str, Any], more: list[AccountMeta] | None = None
    ) -> Instruction:
        fixed = {
            "exchange": self.exchange.exchange,
            "fund": self.fund,
            "vault": self.vault,
            "perp_dex": self.exchange.dex.id,
            "token_program": TOKEN,
            "system_program": SYSTEM,
            "instructions": INSTRUCTIONS,
        }
        described = {account["name"] for account in self.program.instructions[name]["accounts"]}
        named = {key: value for key, value in (fixed | accounts).items() if key in described}
        return self.program.instruction(name, arguments, named, more or [])

    def send(
        self, name: str, arguments: dict[str, Any], accounts: dict[str, Any], signers: list[Keypair], more: list[AccountMeta] | None = None
    ) -> TransactionMetadata:
        return self.exchange.chain.send([self.instruction(name, arguments, accounts, more)], signers, label=f"liquidation {name}")
