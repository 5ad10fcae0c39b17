"""Challenges: making one, and answering all of them, leaf by leaf, from what was kept of each batch."""

import struct
from collections.abc import Iterable, Iterator
from typing import Any

import structlog
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from chain import merkle
from chain.client import ChainClient
from chain.deployment import Deployment
from chain.errors import ChainError
from chain.outbox.faults import fault_text, is_fault
from chain.prices import market_address
from chain.settlement.batches import tree_of, trees_of
from chain.settlement.instructions import SYSTEM, fits
from chain.settlement.leaves import Leaf, restored
from chain.settlement.models import BatchAccount, Challenged, SettlementBatch, SignedOrderRecord
from chain.settlement.reading import batch_address, discriminated, stored_sums
from chain.settlement.sending import send_and_see
from chain.settlement.trees import AccountTree, account_proof
from markets.signed_orders import order_hash, take_apart

ED25519 = Pubkey.from_string("Ed25519SigVerify111111111111111111111111111")
INSTRUCTIONS = Pubkey.from_string("Sysvar1nstructions1111111111111111111111111")
HERE = 0xFFFF  # in the Ed25519 program's instruction: the offsets are inside itself
CONFIRMED_IN_S = 15.0
NO_NAME = bytes(32)
log = structlog.get_logger("settlement")


def challenge_address(deployment: Deployment, seq: int, user: Pubkey) -> Pubkey:
    return deployment.dex.program.pda(b"challenge", seq.to_bytes(8, "little"), bytes(user))


def challenge(deployment: Deployment, *, batch: SettlementBatch, user: Pubkey, challenger: Pubkey) -> list[Instruction]:
    """Return the instructions that demand an account's leaves: the first opens the challenge, each other brings more of the proof."""
    trees = trees_of(batch)
    index = [tree.user for tree in trees].index(user)
    proof = account_proof(trees, index)
    accounts = {
        "challenger": challenger,
        "exchange": deployment.dex.exchange,
        "batch": batch_address(deployment, batch.seq),
        "user": user,
        "challenge": challenge_address(deployment, batch.seq, user),
        "system_program": SYSTEM,
    }
    siblings = proof["siblings"]
    parts: list[Instruction] = []
    while siblings or not parts:
        count = len(siblings)
        while not fits(challenger, [made := _prove(deployment, accounts, proof, siblings[:count], first=not parts)]):
            count -= 1
        parts.append(made)
        siblings = siblings[count:]
    return parts


def _prove(
    deployment: Deployment, accounts: dict[str, Pubkey], proof: dict[str, Any], siblings: list[dict[str, Any]], *, first: bool
) -> Instruction:
    program = deployment.dex.program
    if first:
        return program.instruction("challenge", {"proof": proof | {"siblings": siblings}}, accounts)
    named = {name: accounts[name] for name in ("challenger", "exchange", "batch", "challenge")}
    return program.instruction("prove_challenge", {"siblings": siblings}, named)


def answer_all(deployment: Deployment, client: ChainClient) -> int:
    """Answer what is demanded; return how many leaves were shown."""
    shown = 0
    for address, found in discriminated(deployment, client, "Challenge", commitment="confirmed"):
        if _note(address, found).answered or not found.proven:
            continue
        try:
            for _ in _answer(deployment, client, address, found):
                shown += 1
        except Exception as error:  # one that cannot be answered must not keep the others from it
            if not (isinstance(error, ChainError) or is_fault(error)):
                raise
            log.exception("challenge_not_answered", batch=found.seq, account=str(found.user))
            Challenged.objects.filter(pk=str(address)).update(error=str(error)[:500] or fault_text(error))
    return shown


def show_bankruptcies(deployment: Deployment, client: ChainClient, *, now_s: float) -> int:
    """Demand, of ourselves, to see who went bankrupt in batches that can still be challenged; return how many demands were made.

    What others took over from a bankrupt account can only be shown once its own leaves were: later nobody may ask for them any more.
    """
    made = 0
    rows = BatchAccount.objects.filter(batch__deadline__gt=int(now_s), leaves__contains=[{"kind": "Deleveraging"}]).select_related("batch")
    for row in rows:
        for leaf in map(restored, row.leaves):
            if leaf.kind == "Deleveraging":
                made += _demand(deployment, client, row.batch, Pubkey(leaf.fields["bankrupt"]))
    return made


def _demand(deployment: Deployment, client: ChainClient, batch: SettlementBatch, user: Pubkey) -> bool:
    is_in = batch.account_changes.filter(address=str(user), custodied=False).exists()
    if not is_in or client.account(challenge_address(deployment, batch.seq, user), commitment="processed") is not None:
        return False
    payer = deployment.keys.settler
    parts = challenge(deployment, batch=batch, user=user, challenger=payer.pubkey())
    return all(send_and_see(client, payer, [part], for_s=CONFIRMED_IN_S) for part in parts)


def _note(address: Pubkey, found: Any) -> Challenged:
    facts = {"proven": found.proven, "answered": found.answered, "deadline": found.deadline, "shown": found.next}
    fixed = {
        "batch_seq": found.seq,
        "account_address": str(found.user),
        "challenger": str(found.challenger),
        "leaves": found.changes,
    }
    row, new = Challenged.objects.get_or_create(address=str(address), defaults=fixed | facts)
    if not new and any(getattr(row, name) != value for name, value in facts.items()):
        Challenged.objects.filter(pk=row.pk).update(**facts)
        row.answered = found.answered
    return row


def _answer(deployment: Deployment, client: ChainClient, address: Pubkey, found: Any) -> Iterator[int]:
    """Show the leaves that are missing, and yield each when it is confirmed."""
    batch = SettlementBatch.objects.get(seq=found.seq)
    tree = tree_of(batch.account_changes.get(address=str(found.user)))
    running = dict(stored_sums(found.running))
    for place in range(found.next, len(tree.leaves)):
        steps = show_leaf(deployment, batch=batch, tree=tree, place=place, running=running)
        if not send_and_see(client, deployment.keys.settler, steps, for_s=CONFIRMED_IN_S):
            return
        for slot, amount in tree.leaves[place].sums:
            running[slot] = running.get(slot, 0) + amount
        Challenged.objects.filter(pk=str(address)).update(shown=place + 1, answered=place + 1 == len(tree.leaves), error="")
        yield place


def show_leaf(
    deployment: Deployment, *, batch: SettlementBatch, tree: AccountTree, place: int, running: dict[int, int]
) -> list[Instruction]:
    """Return what shows one leaf of an account; for a trade, its signature goes before."""
    leaf = tree.leaves[place]
    name = _name(leaf, tree.user, place)
    program = deployment.dex.program
    accounts = {
        "answerer": deployment.keys.settler.pubkey(),
        "exchange": deployment.dex.exchange,
        "batch": batch_address(deployment, batch.seq),
        "challenge": challenge_address(deployment, batch.seq, tree.user),
        "user": tree.user,
        "instructions": INSTRUCTIONS,
        "system_program": SYSTEM,
    }
    before: list[Instruction] = []
    if leaf.kind == "Trade":
        signed = take_apart(bytes(SignedOrderRecord.objects.get(digest=leaf.fields["order"].hex()).signed))
        before = [ed25519(signed.data, key=signed.key, signature=signed.signature)]
        accounts["trading_key"] = program.pda(b"key", bytes(tree.user), signed.key)
        accounts["fills"] = program.pda(b"fills", order_hash(signed.data))
    elif name != NO_NAME:
        accounts["bankruptcy"] = program.pda(b"bankruptcy", batch.seq.to_bytes(8, "little"), name)
    siblings = merkle.prove(tree.nodes, place).siblings
    more = [AccountMeta(market_address(deployment, one), is_signer=False, is_writable=False) for one in _markets(leaf, running)]
    return [*before, program.encoded("show_leaf", leaf.data + encode_nodes(siblings) + name, accounts, more)]


def _name(leaf: Leaf, user: Pubkey, place: int) -> bytes:
    """Return what the leaf's record goes by: a trade's order, or the leaf that gave a position up."""
    if leaf.kind == "Trade":
        return bytes(leaf.fields["order"])
    if leaf.kind == "Bankruptcy":
        return order_hash(bytes(user) + place.to_bytes(4, "little"))
    if leaf.kind == "Deleveraging":
        return order_hash(leaf.fields["bankrupt"] + leaf.fields["place"].to_bytes(4, "little"))
    return NO_NAME


def _markets(leaf: Leaf, running: dict[int, int]) -> list[int]:
    """Return the markets that judge a leaf: its own, and those in which the account holds anything."""
    slots = [slot for slot, amount in [*running.items(), *leaf.sums] if slot >= merkle.POSITION and amount]
    named = [leaf.fields["market_id"]] if "market_id" in leaf.fields else []
    return sorted({slot & ~merkle.POSITION for slot in slots} | set(named))


def encode_nodes(siblings: Iterable[merkle.Node]) -> bytes:
    """Return nodes as Borsh has them."""
    made = [node.hash + struct.pack("<I", len(node.sums)) + b"".join(struct.pack("<Iq", *one) for one in node.sums) for node in siblings]
    return struct.pack("<I", len(made)) + b"".join(made)


def ed25519(message: bytes, *, key: bytes, signature: bytes) -> Instruction:
    """Return the Ed25519 program's instruction over one message, which it holds itself."""
    start = 16
    offsets = struct.pack("<7H", start, HERE, start + 64, HERE, start + 96, len(message), HERE)
    return Instruction(ED25519, bytes([1, 0]) + offsets + signature + key + message, [])
