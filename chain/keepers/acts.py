"""What the operator's own keeper does by hand, once, from his deployment and his tables."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError
from solders.pubkey import Pubkey

from chain.client import ChainClient
from chain.deployment import Deployment
from chain.settlement import challenges, epochs
from chain.settlement.proofs import batch_of
from chain.settlement.reading import phase_of
from chain.settlement.reconciliation import reconcile
from chain.settlement.running import settlement_pass
from chain.settlement.sending import send_and_see

WAIT_S = 30.0
Act = Callable[[Deployment, ChainClient, dict[str, Any]], str]


def watch(chain: Deployment, client: ChainClient, _options: dict[str, Any]) -> str:
    exchange = chain.dex.read_exchange(client, commitment="finalized")
    waiting = exchange.open_challenges + exchange.closing_challenges
    return f"{phase_of(exchange)}, batch {exchange.last_seq}, final epoch {exchange.final_epoch}, {waiting} open challenges"


def settle(chain: Deployment, client: ChainClient, _options: dict[str, Any]) -> str:
    settlement_pass(deployment=chain, client=client, interval_ms=0)
    return watch(chain, client, {})


def turn(chain: Deployment, client: ChainClient, _options: dict[str, Any]) -> str:
    return "The epoch turns." if epochs.turn(chain, client) else "No epoch can be turned now."


def answer(chain: Deployment, client: ChainClient, _options: dict[str, Any]) -> str:
    return f"{challenges.answer_all(chain, client)} leaves were shown."


def compare(chain: Deployment, client: ChainClient, _options: dict[str, Any]) -> str:
    found = reconcile(deployment=chain, client=client)
    if found is None:
        raise CommandError("The chain moves too fast to be compared now. Try again.")
    return "All is equal." if found.ok else f"{len(found.differences)} differences: reconciliation {found.pk}."


def challenge(chain: Deployment, client: ChainClient, options: dict[str, Any]) -> str:
    """Demand to see an account's leaves; the settler pays the bond, as anyone could."""
    if options["batch"] is None or options["account"] is None:
        raise CommandError("challenge takes --batch and --account.")
    payer = chain.keys.settler
    user = chain.account_address(options["account"])
    batch = batch_of(options["batch"])
    if not batch.account_changes.filter(address=str(user)).exists():
        raise CommandError(f"Account {options['account']} is not in batch {batch.seq}.")
    parts = challenges.challenge(chain, batch=batch, user=user, challenger=payer.pubkey())
    for part in parts:
        if not send_and_see(client, payer, [part], for_s=WAIT_S):
            raise CommandError("The challenge did not get on chain in time.")
    return f"Challenged in {len(parts)} parts: {challenges.challenge_address(chain, batch.seq, user)}"


def fall_back(chain: Deployment, client: ChainClient, _options: dict[str, Any]) -> str:
    """Let the exchange fall back where the operator was silent for too long."""
    return _crank(chain, client, "fall_back", {})


def freeze(chain: Deployment, client: ChainClient, _options: dict[str, Any]) -> str:
    """Freeze an exchange that stayed in fallback for too long."""
    return _crank(chain, client, "freeze_silent", {})


def _crank(chain: Deployment, client: ChainClient, name: str, accounts: dict[str, Pubkey]) -> str:
    instruction = chain.dex.program.instruction(name, {}, {"exchange": chain.dex.exchange} | accounts)
    if not send_and_see(client, chain.keys.settler, [instruction], for_s=WAIT_S):
        raise CommandError("It did not get on chain in time.")
    return watch(chain, client, {})


ACTS: dict[str, Act] = {
    "watch": watch, "settle": settle, "turn": turn, "answer": answer, "reconcile": compare, "challenge": challenge,
    "fall-back": fall_back, "freeze": freeze,
}  # fmt: skip
