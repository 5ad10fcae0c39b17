"""What each account of a batch had on chain just before its change was posted: the program hashed it into the tree.

It is read before the change is posted. Where a deposit or withdrawal slipped in between, the program's own tree shows that it did, and
the account's history on chain says what it was.
"""

from typing import Any

import structlog

from chain import merkle
from chain.client import ChainClient
from chain.custody.rebuilding import asset_of, carried
from chain.deployment import Deployment
from chain.errors import ChainUnavailable
from chain.models import OutboxAttempt
from chain.outbox.route import EntryRefused
from chain.settlement.models import BatchAccount, SettlementBatch
from chain.settlement.reading import outlook, read_users, stored_sums
from chain.settlement.trees import AccountTree, peaks

MOVES = {"deposit": 1, "withdraw": -1}
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
    deployment: Deployment, client: ChainClient, batch: SettlementBatch, trees: list[AccountTree], on_chain: Any
) -> list[AccountTree] | None:
    """Find out what slipped in, and keep it; None while the node's final view does not show it. EntryRefused when nothing slipped in."""
    mended = _mended(deployment, client, batch, trees)
    if mended is None:
        return None
    changed = [place for place, (one, other) in enumerate(zip(mended, trees, strict=True)) if one != other]
    if not changed:
        raise EntryRefused("The program's tree is not that of the batch, and no deposit or withdrawal explains it.")
    if not agree(on_chain, mended):
        log.warning("vault_moves_unexplained", seq=batch.seq, accounts=len(changed))
        return None
    for place in changed:
        note(batch, first=place, befores=[mended[place].before])
    log.info("vault_moved_in_between", seq=batch.seq, accounts=len(changed))
    return mended


def _mended(deployment: Deployment, client: ChainClient, batch: SettlementBatch, trees: list[AccountTree]) -> list[AccountTree] | None:
    """Return the trees with what each account had by its present state and its history since; None while these are not final."""
    users = read_users(deployment, client, [tree.user for tree in trees], commitment="finalized")
    signatures = set(OutboxAttempt.objects.filter(entry=batch.entry).values_list("signature", flat=True))
    mended = []
    for tree, user in zip(trees, users, strict=True):
        since = None if user is None else _since(deployment, client, tree, signatures)
        if since is None:
            return None
        change = [(slot, -amount) for slot, amount in tree.root.sums]
        before = merkle.canonical([*outlook(user), *change, *since])
        mended.append(AccountTree(user=tree.user, leaves=tree.leaves, before=before))
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
    """Return, negated, what a transaction moved: by its instructions, which nobody can cut as logs are cut."""
    transaction = client.transaction(signature)
    if transaction is None:
        raise ChainUnavailable(f"The node does not have {signature}, which it names.")
    return [
        (asset_of(client, deployment, one), -MOVES[one.name] * one.u64(0))
        for one in carried(deployment, transaction)
        if one.name in MOVES and str(one.accounts["user"]) == address
    ]
