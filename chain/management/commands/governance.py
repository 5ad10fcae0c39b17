"""manage.py governance: stake, propose, vote and execute, from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.instructions import get_associated_token_address

from chain.client import ChainClient
from chain.deployment import Deployment, deployment
from chain.governance import Proposal, headline
from chain.management.commands.chain_setup import wait_for_markets
from chain.proposal_hash import Kind
from chain.setup import proposals
from chain.setup.keyring import read_private
from chain.setup.sender import Task, send_all
from markets.errors import DomainError

Act = Callable[["Hand", dict[str, Any]], str]


class Hand:
    """One person's hand on governance. What only reads needs no key."""

    def __init__(self, chain: Deployment, client: ChainClient, key_file: Path | None) -> None:
        self.chain, self.client, self._key_file = chain, client, key_file
        self.program = chain.governance

    @property
    def key(self) -> Keypair:
        if self._key_file is None:
            raise CommandError("This takes --key FILE: whose stake, or whose fee, it is.")
        return read_private(self._key_file)

    @property
    def tokens(self) -> Pubkey:
        """Return the person's account of the token that is staked."""
        return get_associated_token_address(self.key.pubkey(), self.state.stake_mint)

    @property
    def state(self) -> Any:
        return self.program.state(self.client, commitment="confirmed")

    def proposal(self, number: int) -> Proposal:
        return self.program.read(self.client, number, commitment="confirmed")

    def send(self, title: str, instruction: Instruction) -> None:
        send_all(self.client, [Task(title=title, keys=(self.key,), instructions=[instruction])])


def show(hand: Hand, options: dict[str, Any]) -> str:
    if options["number"] is not None:
        return "\n".join(proposals.words(hand.proposal(options["number"])))
    state, exchange = hand.state, hand.chain.dex.read_exchange(hand.client, commitment="confirmed")
    governs = (
        "governs the exchange"
        if exchange.authority == hand.program.authority
        else f"is not the exchange's authority ({exchange.authority} is)"
    )
    told = [
        f"{hand.program.authority} {governs}; guardian {state.guardian}",
        f"{state.staked_atoms:,} atoms of {state.stake_mint} are staked",
    ]
    for number in range(1, state.proposals + 1):
        account = hand.client.account(hand.program.proposal(number), commitment="confirmed")
        told.append(headline(number, hand.program.program.account("Proposal", account)))
    return "\n".join(told)


def stake(hand: Hand, options: dict[str, Any]) -> str:
    step = hand.program.lock_stake(owner=hand.key.pubkey(), source=hand.tokens, amount_atoms=options["atoms"], number=options["stake"])
    hand.send("stake", step)
    return f"Stake {options['stake']} of {hand.key.pubkey()}: {options['atoms']:,} atoms."


def unstake(hand: Hand, options: dict[str, Any]) -> str:
    hand.send("unstake", hand.program.return_stake(owner=hand.key.pubkey(), destination=hand.tokens, number=options["stake"]))
    return "The stake is back."


def propose_market(hand: Hand, options: dict[str, Any]) -> str:
    view = next((one for one in wait_for_markets() if one.parameters.market_id == options["market_id"]), None)
    if view is None:
        raise CommandError(
            f"The engine has no market {options['market_id']}: it is created there first, and stays halted until it is on chain."
        )
    return _propose(hand, proposals.market(hand.chain, hand.client, view), options)


def propose_limits(hand: Hand, options: dict[str, Any]) -> str:
    wanted = {f"{name}_atoms": options[name] for name in ("deposit_cap", "hour", "day")}
    return _propose(hand, proposals.limits(hand.chain, **wanted), options)


def propose_file(hand: Hand, options: dict[str, Any]) -> str:
    return _propose(hand, proposals.from_file(options["file"]), options)


def _propose(hand: Hand, instructions: list[Instruction], options: dict[str, Any]) -> str:
    kind: Kind = "Tightening" if options["tightening"] else "Loosening"
    number = proposals.propose(hand.chain, hand.client, key=hand.key, instructions=instructions, kind=kind, stake=options["stake"])
    return "\n".join(proposals.words(hand.proposal(number)))


def vote(hand: Hand, options: dict[str, Any]) -> str:
    """Vote on the instructions as they were read just now, whose hash the vote names."""
    proposal = hand.proposal(options["number"])
    approves = options["word"] == "yes"
    hand.send("vote", hand.program.vote(owner=hand.key.pubkey(), proposal=proposal, approves=approves, stake=options["stake"]))
    return "\n".join(proposals.words(hand.proposal(options["number"])))


def execute(hand: Hand, options: dict[str, Any]) -> str:
    count = proposals.execute(hand.chain, hand.client, key=hand.key, number=options["number"])
    return f"{count} instructions of proposal {options['number']} were executed."


def cancel(hand: Hand, options: dict[str, Any]) -> str:
    hand.send("cancel", hand.program.cancel(proposer=hand.key.pubkey(), number=options["number"]))
    return f"Proposal {options['number']} is cancelled."


def veto(hand: Hand, options: dict[str, Any]) -> str:
    hand.send("veto", hand.program.veto(guardian=hand.key.pubkey(), number=options["number"]))
    return f"Proposal {options['number']} is vetoed."


class Command(BaseCommand):
    requires_system_checks = []
    help = "Governance of the exchange on chain: show, stake, unstake, propose, vote, execute, cancel, veto (docs/cluster.md)."

    def add_arguments(self, parser: CommandParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        shown = self._act(acts, "show", show, help="what governance is, or one proposal in words")
        shown.add_argument("number", type=int, nargs="?")
        staked = self._act(acts, "stake", stake, help="lock tokens: they vote on what is proposed afterwards")
        staked.add_argument("atoms", type=int)
        self._act(acts, "unstake", unstake, help="take a stake back, once it is not locked any more")
        self._add_proposals(acts.add_parser("propose", help="propose, and begin the vote").add_subparsers(required=True))
        voted = self._act(acts, "vote", vote, help="vote with a stake that was there before the vote began")
        voted.add_argument("number", type=int)
        voted.add_argument("word", choices=("yes", "no"))
        for name, act, text in (
            ("execute", execute, "execute what has passed and waited; anyone may"),
            ("cancel", cancel, "take a proposal of one's own back"),
            ("veto", veto, "end a proposal, as the guardian"),
        ):
            self._act(acts, name, act, help=text).add_argument("number", type=int)

    def _add_proposals(self, kinds: Any) -> None:
        listed = self._act(kinds, "market", propose_market, help="list a market of the engine's: feed, market, limits")
        listed.add_argument("market_id", type=int)
        limited = self._act(kinds, "limits", propose_limits, help="set the limits of USDC, in atoms (1 USDC is 1,000,000)")
        for name in ("deposit_cap", "hour", "day"):
            limited.add_argument(name, type=int)
        from_file = self._act(kinds, "file", propose_file, help="instructions of one's own, from a JSON file")
        from_file.add_argument("file", type=Path)
        for one in (listed, limited, from_file):
            one.add_argument("--tightening", action="store_true", help="it only tightens, so it need not wait")

    def _act(self, acts: Any, name: str, act: Act, *, help: str) -> Any:
        parser = acts.add_parser(name, help=help)
        parser.set_defaults(do=act)
        parser.add_argument("--key", type=Path, help="a key file that is its owner's alone (mode 600)")
        parser.add_argument("--stake", type=int, default=0, help="which of the key's stakes")
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            chain = deployment()
            with chain.client() as client:
                self.stdout.write(options["do"](Hand(chain, client, options["key"]), options))
        except DomainError as error:
            raise CommandError(error.message) from error
