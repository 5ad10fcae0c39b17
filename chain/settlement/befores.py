"""What each account of a batch had on chain just before its change was posted: the program hashed it into the tree.

It is read before the change is posted. Where a deposit or withdrawal slipped in between, the program's own tree shows that it did, and
the account's history on chain says what it was.
"""

from typing import Any

import structlog

from chain import merkle
from chain.client import ChainClient
from chain.custody.events import told
from chain.deployment import Deployment
from chain.models import OutboxAttempt
from chain.outbox.route import EntryRefused
from chain.settlement.models import BatchAccount, SettlementBatch
from chain.settlement.reading import outlook, read_users, stored_sums
from chain.settlement.trees import AccountTree, peaks

VAULT_EVENTS = {"Deposited": 1, "Withdrawn": -1}
log = structlog.get_logger("settlement")


def note(batch: SettlementBatch, *, first: int, befores: list[merkle.Sums]) -> None:
    """Keep what the accounts from place `first` on have now, right before they are posted."""
    for place, before in enumerate(befores, start=first):
        BatchAccount.objects.filter(batch=batch, place=place).update(before=[list(one) for one in before])


def agree(batch_on_chain: Any, trees: list[AccountTree]) -> bool:
    """Tell whether the program's open tree is the one over these accounts."""
    kept = [(bytes(node.hash), stored_sums(node.sums)) for node in batch_on_chain.peaks]
    return kept == [(node.hash, node.sums) for node in peaks(trees)]


def settle_disagreement(
    deployment: Deployment, client: ChainClient, batch: SettlementBatch, trees: list[AccountTree]
) -> list[AccountTree] | None:
    """Find out what slipped in, and keep it; None while the node's final view is not as far. EntryRefused when nothing explains it."""
    users = read_users(deployment, client, [tree.user for tree in trees], commitment="finalized")
    signatures = set(OutboxAttempt.objects.filter(entry=batch.entry).values_list("signature", flat=True))
    mended = list(trees)
    for place, (tree, user) in enumerate(zip(trees, users, strict=True)):
        if user is None:
            return None
        since = _since(deployment, client, tree, signatures)
        if since is None:
            return None
        change = [(slot, -amount) for slot, amount in tree.root.sums]
        before = merkle.canonical([*outlook(user), *change, *since])
        if before != tree.before:
            note(batch, first=place, befores=[before])
            mended[place] = AccountTree(user=tree.user, leaves=tree.leaves, before=before)
    log.info("vault_moved_in_between", seq=batch.seq, accounts=sum(one != other for one, other in zip(mended, trees, strict=True)))
    if mended == trees:
        raise EntryRefused("The program's tree is not that of the batch, and no deposit or withdrawal explains it.")
    return mended


def _since(deployment: Deployment, client: ChainClient, tree: AccountTree, signatures: set[str]) -> list[tuple[int, int]] | None:
    """Return, negated, what moved through the vault after the account's change was posted; None when that is not final yet."""
    moved: list[tuple[int, int]] = []
    before: str | None = None
    while page := client.history(tree.user, before=before, until=None, min_slot=0):
        for landed in page:
            if landed.signature in signatures and not landed.failed:
                return moved
            if not landed.failed:
                moved += _vault_changes(deployment, client, landed.signature, str(tree.user))
        before = page[-1].signature
    return None


def _vault_changes(deployment: Deployment, client: ChainClient, signature: str, address: str) -> list[tuple[int, int]]:
    transaction = client.transaction(signature)
    if transaction is None:
        return []
    events = told(deployment.dex.program, signature=signature, transaction=transaction)
    return [
        (int(event.data["asset"]), -VAULT_EVENTS[event.kind] * int(event.data["amount"]))
        for event in events
        if event.kind in VAULT_EVENTS and event.account_address == address
    ]
