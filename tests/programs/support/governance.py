"""Governance on a real SVM: Alice and Bob have stake, Charlie is the stranger, the exchange's authority is what they decide."""

import hashlib
from collections.abc import Sequence
from typing import Any

from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import advance_nonce_account, create_nonce_account
from solders.transaction_metadata import TransactionMetadata

from chain.proposal_hash import NO_CODE, Kind, instruction_hash, proposal_hash
from tests.programs.support.exchange import LIMITS, MARKET, MARKET_PARAMETERS, PRICE, Exchange
from tests.programs.support.idl import Program
from tests.programs.support.prices import Prices, program_key
from tests.programs.support.svm import INSTRUCTIONS, SYSTEM, TOKEN, Chain

DAY_S = 86_400
VOTES = 10**6
PARAMETERS: dict[str, int] = {
    "voting_s": 3 * DAY_S,
    "loosening_s": 5 * DAY_S,
    "execution_s": 7 * DAY_S,
    "lock_s": DAY_S,
    "proposal_atoms": VOTES,
    "quorum_ppm": 200_000,
    "quorum_atoms": 5 * VOTES,
    "majority_ppm": 500_000,
}
WALLET = 1_000 * VOTES


class Governance(Exchange):
    """An exchange that has governance for its authority."""

    def __init__(self) -> None:
        super().__init__()
        self.program = Program("governance")
        self.chain.add(self.program)
        self.signs = self.program.pda(b"authority")
        self.governance = self.program.pda(b"governance")
        self.founder = self.signs  # the exchange's first authority
        self.guardian = self.chain.key(41)
        self.stake_mint = self.chain.mint(504)
        self.purses: dict[Keypair, Pubkey] = {}
        self.proposed: dict[int, tuple[Kind, list[Instruction], bytes]] = {}

    # What is set up.

    def begin(self, **changes: Any) -> None:
        self.prices.initialise()
        self.prices.create()
        self.prices.agree(PRICE)
        self.initialise()
        self.found(**changes)
        self.chain.svm.airdrop(self.signs, 10**12)

    def begin_staked(self, **changes: Any) -> None:
        """Alice has 60 votes, Bob has 40."""
        self.begin(**changes)
        self.stake(self.alice, 60 * VOTES)
        self.stake(self.bob, 40 * VOTES)
        self.wait(1)

    def found(self, *, program_signer: Keypair | None = None, **changes: int) -> None:
        signer = program_signer or program_key("governance")
        accounts = {"payer": self.payer.pubkey(), "program": signer.pubkey(), "stake_mint": self.stake_mint}
        arguments = {"guardian": self.guardian.pubkey(), "parameters": PARAMETERS | changes}
        self.govern("initialise", arguments, accounts, [self.payer, signer])

    def wait(self, seconds: int) -> None:
        self.chain.warp(seconds=seconds, slots=1)

    # What stakers do.

    def stake(self, owner: Keypair, amount: int, number: int = 0, **accounts: Pubkey) -> None:
        named = {"owner": owner.pubkey(), "source": self.purse(owner), "stake": self.stake_of(owner, number)} | accounts
        self.govern("lock_stake", {"number": number, "amount_atoms": amount}, named, [owner])

    def unstake(self, owner: Keypair, number: int = 0, *, signer: Keypair | None = None) -> None:
        signer = signer or owner
        accounts = {"owner": signer.pubkey(), "destination": self.purse(signer), "stake": self.stake_of(owner, number)}
        self.govern("return_stake", {}, accounts, [signer])

    def draft(self, owner: Keypair, kind: Kind, number: int = 0) -> int:
        proposal = self.rules()["proposals"] + 1
        accounts = {"owner": owner.pubkey(), "stake": self.stake_of(owner, number), "proposal": self.proposal(proposal)}
        self.govern("propose", {"kind": {kind: {}}}, accounts, [owner])
        return int(proposal)

    def add(self, owner: Keypair, proposal: int, index: int, instruction: Instruction, more: Sequence[Pubkey] = ()) -> None:
        accounts = {"proposer": owner.pubkey(), "proposal": self.proposal(proposal), "stored": self.stored(proposal, index)}
        metas = [AccountMeta(key, is_signer=False, is_writable=False) for key in more]
        self.govern("add_instruction", {"instruction": shown(instruction)}, accounts, [owner], metas)

    def open_vote(self, owner: Keypair, proposal: int, number: int = 0, *, signer: Keypair | None = None) -> None:
        signer = signer or owner
        accounts = {"proposer": signer.pubkey(), "stake": self.stake_of(owner, number), "proposal": self.proposal(proposal)}
        self.govern("begin_vote", {}, accounts, [signer])

    def propose(
        self,
        *instructions: Instruction,
        by: Keypair | None = None,
        kind: Kind = "Loosening",
        code_hash: bytes = NO_CODE,
        number: int = 0,
    ) -> int:
        """Draft, fill and open, by the owner of stake `number`; an upgrade brings its buffer."""
        by = by or self.alice
        proposal = self.draft(by, kind, number)
        for index, instruction in enumerate(instructions):
            self.add(by, proposal, index, instruction, [] if code_hash == NO_CODE else [instruction.accounts[2].pubkey])
        self.open_vote(by, proposal, number)
        self.proposed[proposal] = (kind, list(instructions), code_hash)
        self.wait(1)
        return proposal

    def hash(self, number: int) -> bytes:
        kind, instructions, code_hash = self.proposed[number]
        hashes = [instruction_hash(instruction, code_hash=code_hash) for instruction in instructions]
        epoch = self.ballot(number)["epoch"]
        return proposal_hash(program_id=self.program.id, number=number, epoch=epoch, kind=kind, instruction_hashes=hashes)

    def vote(
        self, owner: Keypair, proposal: int, *, approves: bool = True, number: int = 0, signer: Keypair | None = None, read: bytes = b""
    ) -> None:
        self.chain.send(
            [self.vote_instruction(owner, proposal, approves=approves, number=number, signer=signer, read=read)],
            [signer or owner],
            label="governance vote",
        )

    def vote_instruction(
        self, owner: Keypair, proposal: int, *, approves: bool = True, number: int = 0, signer: Keypair | None = None, read: bytes = b""
    ) -> Instruction:
        stake = self.stake_of(owner, number)
        vote = self.program.pda(b"vote", bytes(self.proposal(proposal)), bytes(stake))
        accounts = {"owner": (signer or owner).pubkey(), "stake": stake, "proposal": self.proposal(proposal), "vote": vote}
        return self.ruled("vote", {"approves": approves, "hash": read or self.hash(proposal)}, accounts)

    def execute(
        self, proposal: int, index: int = 0, *, instruction: Instruction | None = None, stored: Pubkey | None = None, label: str = "execute"
    ) -> None:
        step = self.execution(proposal, index, instruction=instruction, stored=stored)
        self.chain.send([step], [self.charlie], label=f"governance {label}")

    def execution(
        self, proposal: int, index: int = 0, *, instruction: Instruction | None = None, stored: Pubkey | None = None
    ) -> Instruction:
        wanted = instruction or self.proposed[proposal][1][index]
        accounts = {
            "proposal": self.proposal(proposal),
            "stored": stored or self.stored(proposal, index),
            "target": wanted.program_id,
        }
        return self.ruled("execute", {"index": index}, accounts, unsigned(wanted))

    def cancel(self, owner: Keypair, proposal: int) -> None:
        self.govern("cancel", {}, {"proposer": owner.pubkey(), "proposal": self.proposal(proposal)}, [owner])

    def decide(self, *instructions: Instruction, kind: Kind = "Loosening", code_hash: bytes = NO_CODE) -> int:
        """Propose, approve and wait until it may be executed."""
        number = self.propose(*instructions, kind=kind, code_hash=code_hash)
        self.vote(self.alice, number)
        self.wait_for(number)
        return number

    def wait_for(self, proposal: int) -> None:
        ballot = self.ballot(proposal)
        self.wait(max(ballot["ready_at"], ballot["votes_until"] + 1) - self.chain.now)

    def enact(self, *instructions: Instruction, kind: Kind = "Loosening") -> int:
        number = self.decide(*instructions, kind=kind)
        for index in range(len(instructions)):
            self.execute(number, index)
        return number

    # What governance takes over.

    def accept(self, side: Exchange | Prices, *, target: Pubkey | None = None) -> None:
        self.chain.send([self.acceptance(side, target=target)], [self.charlie], label="governance accept_authority")

    def acceptance(self, side: Exchange | Prices, *, target: Pubkey | None = None) -> Instruction:
        holder, program = (side.oracle, side.program.id) if isinstance(side, Prices) else (side.exchange, side.dex.id)
        return self.ruled("accept_authority", {}, {"target": target or program, "holder": holder})

    # What the guardian does.

    def veto(self, proposal: int, *, guardian: Keypair | None = None) -> None:
        guardian = guardian or self.guardian
        self.govern("veto", {}, {"guardian": guardian.pubkey(), "proposal": self.proposal(proposal)}, [guardian])

    def tighten(self, instruction: Instruction, *, guardian: Keypair | None = None) -> None:
        guardian = guardian or self.guardian
        self.chain.send([self.tightening(instruction, guardian)], [guardian], label="governance tighten")

    def tightening(self, instruction: Instruction, guardian: Keypair) -> Instruction:
        accounts = {"guardian": guardian.pubkey(), "target": instruction.program_id}
        return self.ruled("tighten", {"data": bytes(instruction.data)}, accounts, unsigned(instruction))

    def lower_cap(self, cap: int, *, guardian: Keypair | None = None) -> None:
        guardian = guardian or self.guardian
        accounts = {"guardian": guardian.pubkey(), "treasury": self.treasury_accounts()["treasury"]}
        self.govern("lower_cap", {"cap_day_atoms": cap}, accounts, [guardian])

    # What can be proposed.

    def limits(self, **changes: int) -> Instruction:
        accounts = {"authority": self.signs, "asset": self.asset_accounts(0)["asset"]}
        return self.instruction("set_limits", {"limits": LIMITS | changes}, accounts)

    def listing(self, asset: int = 0) -> Instruction:
        accounts = {"payer": self.signs, "authority": self.signs, **self.asset_accounts(asset)}
        return self.instruction("list_asset", {"limits": LIMITS}, accounts)

    def new_market(self, market_id: int = MARKET) -> Instruction:
        accounts = {"payer": self.signs, "authority": self.signs, "market": self.market(market_id), "feed": self.prices.feed()}
        return self.instruction("create_market", {"market_id": market_id, "parameters": MARKET_PARAMETERS}, accounts)

    def new_parameters(self, **changes: int) -> Instruction:
        return self.ruled("set_parameters", {"parameters": PARAMETERS | changes}, {"authority": self.signs})

    def new_guardian(self, guardian: Pubkey) -> Instruction:
        return self.ruled("set_guardian", {"guardian": guardian}, {"authority": self.signs})

    def new_cap(self, cap: int) -> Instruction:
        return self.ruled("set_cap", {"cap_day_atoms": cap}, {"authority": self.signs, **self.treasury_accounts()})

    def payment(self, amount: int, destination: Pubkey | None = None, **accounts: Pubkey) -> Instruction:
        named = {"authority": self.signs, "destination": destination or self.wallet(self.charlie), **self.treasury_accounts()}
        return self.ruled("pay", {"amount_atoms": amount}, named | accounts)

    # Where things are.

    def stake_of(self, owner: Keypair, number: int = 0) -> Pubkey:
        return self.program.pda(b"stake", bytes(owner.pubkey()), number.to_bytes(2, "little"))

    def proposal(self, number: int) -> Pubkey:
        return self.program.pda(b"proposal", number.to_bytes(8, "little"))

    def stored(self, proposal: int, index: int) -> Pubkey:
        return self.program.pda(b"instruction", bytes(self.proposal(proposal)), bytes([index]))

    def purse(self, owner: Keypair) -> Pubkey:
        """Return the owner's account of stake tokens."""
        if owner not in self.purses:
            self.purses[owner] = self.chain.token_account(self.stake_mint, owner.pubkey(), WALLET)
        return self.purses[owner]

    def treasury_accounts(self, asset: int = 0) -> dict[str, Pubkey]:
        mint = bytes(self.mints[asset])
        names = {"treasury": b"treasury", "treasury_authority": b"treasury_authority", "vault": b"treasury_vault"}
        return {name: self.program.pda(seed, mint) for name, seed in names.items()}

    def create_treasury(self, asset: int = 0) -> None:
        accounts = {"payer": self.payer.pubkey(), "mint": self.mints[asset], **self.treasury_accounts(asset)}
        self.govern("create_treasury", {}, accounts, [self.payer])

    def fund(self, amount: int, asset: int = 0) -> None:
        """Give the treasury this much in all."""
        set_tokens(self.chain, self.treasury_accounts(asset)["vault"], amount)

    # What the chain says.

    def rules(self) -> dict[str, Any]:
        return self.program.account("Governance", self.chain.data(self.governance))

    def ballot(self, proposal: int) -> dict[str, Any]:
        return self.program.account("Proposal", self.chain.data(self.proposal(proposal)))

    def staked(self, owner: Keypair, number: int = 0) -> dict[str, Any]:
        return self.program.account("Stake", self.chain.data(self.stake_of(owner, number)))

    def treasury(self, asset: int = 0) -> dict[str, Any]:
        return self.program.account("Treasury", self.chain.data(self.treasury_accounts(asset)["treasury"]))

    def listed(self, asset: int = 0) -> dict[str, Any]:
        return self.dex.account("Asset", self.chain.data(self.asset_accounts(asset)["asset"]))

    # How it is sent.

    def ruled(self, name: str, arguments: dict[str, Any], accounts: dict[str, Any], more: list[AccountMeta] | None = None) -> Instruction:
        fixed = {
            "governance": self.governance,
            "authority": self.signs,
            "exchange": self.exchange,
            "stake_vault": self.program.pda(b"stake_vault"),
            "stake_authority": self.program.pda(b"stake_authority"),
            "instructions": INSTRUCTIONS,
            "token_program": TOKEN,
            "system_program": SYSTEM,
        }
        return self.program.instruction(name, arguments, fixed | accounts, more or [])

    def govern(
        self, name: str, arguments: dict[str, Any], accounts: dict[str, Any], signers: list[Keypair], more: list[AccountMeta] | None = None
    ) -> TransactionMetadata:
        return self.chain.send([self.ruled(name, arguments, accounts, more)], signers, label=f"governance {name}")

    def send_on_durable_nonce(self, instruction: Instruction, owner: Keypair) -> None:
        """Send what was signed beforehand and could be sent at any time."""
        nonce = Keypair.from_seed(hashlib.sha256(bytes(owner)).digest())
        if not self.chain.exists(nonce.pubkey()):
            steps = create_nonce_account(owner.pubkey(), nonce.pubkey(), owner.pubkey(), 10**9)
            self.chain.send(list(steps), [owner, nonce])
            self.chain.svm.expire_blockhash()
        advance = advance_nonce_account({"nonce_pubkey": nonce.pubkey(), "authorized_pubkey": owner.pubkey()})
        self.chain.send([advance, instruction], [owner], budget=False)

    def send(
        self, name: str, arguments: dict[str, Any], accounts: dict[str, Any], signers: list[Keypair], more: list[AccountMeta] | None = None
    ) -> TransactionMetadata:
        if name == "initialise":
            arguments = arguments | {"authority": self.founder}
        return super().send(name, arguments, accounts, signers, more)


def shown(instruction: Instruction) -> dict[str, Any]:
    """An instruction as it is proposed."""
    accounts = [{"key": meta.pubkey, "writable": meta.is_writable, "signer": meta.is_signer} for meta in instruction.accounts]
    return {"program_id": instruction.program_id, "accounts": accounts, "data": bytes(instruction.data)}


def unsigned(instruction: Instruction) -> list[AccountMeta]:
    """Return the accounts of an instruction that governance signs itself."""
    return [AccountMeta(meta.pubkey, is_signer=False, is_writable=meta.is_writable) for meta in instruction.accounts]


def set_tokens(chain: Chain, address: Pubkey, amount: int) -> None:
    account = chain.svm.get_account(address)
    assert account is not None
    data = bytearray(account.data)
    data[64:72] = amount.to_bytes(8, "little")
    chain.svm.set_account(address, Account(account.lamports, bytes(data), account.owner))
