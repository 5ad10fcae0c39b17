"""Break every account of every instruction that is sent: none may be exchanged for another one unseen."""

from collections.abc import Sequence
from typing import Any

from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from solders.transaction import Transaction
from solders.transaction_metadata import FailedTransactionMetadata, SimulatedTransactionInfo, TransactionMetadata

from tests.programs.support.svm import Chain

# Whoever may pay, bring tokens of his own, or answer: these roles are anyone's.
FREE = {"payer", "matcher", "answerer", "challenger", "depositor", "contributor"}
# ... and these where it is they who pay for a record.
PAYERS = {("call_margin", "caller"), ("open_recovery", "opener"), ("begin_liquidation", "opener")}
# A copy of these at another address cannot exist outside a test: only the program makes accounts of its own, and the mint or the token
# account is the caller's choice.
CHOSEN = {"feed", "mint", "stake_mint", "source", "destination", "price_update", "settler"}


class Auditor(Chain):
    """A chain that first tries each transaction with one account exchanged, in every way, and notes what was not refused."""

    def __init__(self, *programs: Any) -> None:
        self.accepted: list[str] = []
        self.trials = 0
        self.tried: dict[str, set[str]] = {}
        self.watching = False
        super().__init__(*programs)
        self.watching = True

    def send(self, instructions: list[Instruction], signers: list[Keypair], *, label: str = "", budget: bool = True) -> TransactionMetadata:
        if self.watching:
            assert self._passes(instructions, signers), "what is audited must pass unchanged"
            for place, instruction in enumerate(instructions):
                self._try_all(instructions, place, instruction, signers)
        return super().send(instructions, signers, label=label, budget=budget)

    def _try_all(self, instructions: list[Instruction], place: int, instruction: Instruction, signers: list[Keypair]) -> None:
        program = next((item for item in self.programs if item.id == instruction.program_id), None)
        if program is None:
            return
        described = next(item for item in program.idl["instructions"] if bytes(item["discriminator"]) == bytes(instruction.data)[:8])
        for index, account in enumerate(described["accounts"]):
            role = "payer" if (described["name"], account["name"]) in PAYERS else account["name"]
            for way, key, more in self._others(role, instruction.accounts[index].pubkey, program.id):
                metas = list(instruction.accounts)
                meta = metas[index]
                metas[index] = AccountMeta(key, is_signer=meta.is_signer, is_writable=meta.is_writable)
                changed = list(instructions)
                changed[place] = Instruction(instruction.program_id, bytes(instruction.data), metas)
                self.tried.setdefault(described["name"], set()).add(account["name"])
                self.trials += 1
                if self._passes(changed, [*signers, *more]):
                    self.accepted.append(f"{described['name']}: {account['name']} {way}")

    def _others(self, name: str, key: Pubkey, program: Pubkey) -> Sequence[tuple[str, Pubkey, list[Keypair]]]:
        """A stranger, an account that looks the same to the byte, and one that only lacks its owner."""
        stranger = Keypair.from_seed(bytes([7] * 32))
        self.svm.airdrop(stranger.pubkey(), 10**12)
        found: list[tuple[str, Pubkey, list[Keypair]]] = []
        if name not in FREE:
            found.append(("of a stranger", stranger.pubkey(), [stranger]))
        account = self.svm.get_account(key)
        if account is None or account.executable or key == program:
            return found
        if account.owner != SYSTEM and name not in CHOSEN:
            twin = Keypair.from_seed(bytes([8] * 32))
            self.svm.set_account(twin.pubkey(), account)
            found.append(("copied to another address", twin.pubkey(), [twin]))
        if account.owner != SYSTEM:
            fake = Keypair.from_seed(bytes([9] * 32))
            self.svm.set_account(fake.pubkey(), Account(account.lamports, bytes(account.data), SYSTEM))
            found.append(("of another program", fake.pubkey(), [fake]))
        return found

    def _passes(self, instructions: list[Instruction], signers: list[Keypair]) -> bool:
        """Simulate with every signature that the changed message asks for and that an attacker could have."""
        self.svm.expire_blockhash()
        message = Message([set_compute_unit_limit(1_400_000), *instructions], signers[0].pubkey())
        wanted = message.account_keys[: message.header.num_required_signatures]
        known = {signer.pubkey(): signer for signer in signers}
        if any(key not in known for key in wanted):
            return False
        transaction = Transaction([known[key] for key in wanted], message, self.svm.latest_blockhash())
        result = self.svm.simulate_transaction(transaction)
        assert isinstance(result, SimulatedTransactionInfo | FailedTransactionMetadata)
        return isinstance(result, SimulatedTransactionInfo)
