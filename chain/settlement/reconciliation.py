"""Comparing what the vault has, what the program says of accounts, and what the ledger says. It changes nothing but whether money leaves.

Four equations: the vault holds at least the asset's total; the total is the sum of all final balances; each account has on chain what the
batches that are settled gave it, with what it moved through the vault or traded there itself; and what settlement makes of the journal is
what the tables say. A difference stops withdrawals, until staff say why.
"""

import struct
from collections.abc import Mapping
from typing import Any

import structlog
from django.db import transaction
from django.db.models import BigIntegerField, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from chain import merkle
from chain.client import ChainClient
from chain.custody.models import ChainEvent
from chain.custody.trades import KINDS, ChainTrade, trade_of
from chain.deployment import Deployment
from chain.settlement import carried
from chain.settlement.baseline import books_of_tables
from chain.settlement.batches import fold_on
from chain.settlement.books import Book
from chain.settlement.errors import SettlementHalted
from chain.settlement.fold import Fold
from chain.settlement.leaves import QUOTE
from chain.settlement.models import BatchAccount, BookedTrade, Reconciliation, SettledAccount, SettledPosition, SettlementBatch
from chain.settlement.reading import discriminated, final_balances, outlook, phase_of
from trading.models import Projection

AMOUNT_AT = 64  # in a token account
MAX_DIFFERENCES = 50  # kept of one comparison
MOVED = {"Deposited": 1, "Withdrawn": -1}
ATTEMPTS = 5
STATE = (
    "phase_at", "last_end_ms", "chain_events", "final_epoch", "closing_deadline", "open_deadline", "closing_challenges", "open_challenges",
    "users", "valued_users", "claims_atoms", "payable_atoms",
)  # fmt: skip
log = structlog.get_logger("reconciliation")


def reconcile(*, deployment: Deployment, client: ChainClient) -> Reconciliation | None:
    """Compare and keep what was found; a difference stops withdrawals. None while the chain moves too fast to be compared."""
    for _ in range(ATTEMPTS):
        before = client.point("finalized").slot
        exchange = deployment.dex.read_exchange(client, commitment="finalized", min_slot=before)
        users = dict(discriminated(deployment, client, "User", commitment="finalized"))
        vault, total = _money(deployment, client)
        again = deployment.dex.read_exchange(client, commitment="finalized")
        if _same(exchange, again):
            return _keep(deployment, exchange, users, vault, total, slot=before)
    return None


def _same(one: Any, other: Any) -> bool:
    names = ("last_seq", "batch_open", "chain_events", "final_epoch")
    return all(getattr(one, name) == getattr(other, name) for name in names) and not one.batch_open


def _money(deployment: Deployment, client: ChainClient) -> tuple[int, int]:
    """Return what the vault has, and what the program says that it must have."""
    places = deployment.dex.asset(deployment.usdc_mint)
    vault, asset = client.accounts([places["vault"], places["asset"]], commitment="finalized")
    (tokens,) = struct.unpack_from("<Q", bytes(vault.data) if vault else bytes(72), AMOUNT_AT)
    return int(tokens), int(deployment.dex.program.account("Asset", asset).total_atoms)


def _keep(deployment: Deployment, exchange: Any, users: Mapping[Any, Any], vault: int, total: int, *, slot: int) -> Reconciliation:
    final = sum(dict(final_balances(user, exchange.final_epoch)).get(QUOTE, 0) for user in users.values())
    differences = []
    if vault < total:
        differences.append({"what": "vault", "expected": total, "found": vault})
    if final != total:
        differences.append({"what": "final balances", "expected": total, "found": final})
    compared = 0
    # What a frozen exchange has not made final is void, and leaves each account when it is next touched.
    if phase_of(exchange) in {"Live", "Fallback"} and _knows_all(exchange):
        held = {str(key): outlook(user) for key, user in users.items()}
        found, compared = _account_differences(deployment, held, exchange.last_seq)
        differences += found
    differences += ledger_differences(deployment)
    result = Reconciliation.objects.create(
        slot=slot,
        batch_seq=exchange.last_seq,
        phase=phase_of(exchange),
        exchange={name: int(getattr(exchange, name)) for name in STATE},
        vault_atoms=vault,
        total_atoms=total,
        users_atoms=final,
        accounts=len(users),
        compared=compared,
        differences=differences[:MAX_DIFFERENCES],
        ok=not differences,
    )
    if differences:
        log.error("reconciliation_differs", reconciliation=result.pk, differences=len(differences))
    return result


def _knows_all(exchange: Any) -> bool:
    """Whether every deposit and withdrawal that the chain has is stored here, and every batch of the chain is one of ours."""
    stored = ChainEvent.objects.order_by("-number").values_list("number", flat=True).first() or 0
    last = SettlementBatch.objects.filter(seq=exchange.last_seq).first()
    ours = exchange.last_seq == 0 or (last is not None and last.hash is not None and bytes(last.hash) == bytes(exchange.last_hash))
    return bool(stored == exchange.chain_events and ours)


def _account_differences(deployment: Deployment, held: dict[str, merkle.Sums], last_seq: int) -> tuple[list[dict[str, Any]], int]:
    """Compare each account with what its batches and its own deposits and withdrawals add up to."""
    expected = _settled_at_once(deployment, last_seq)
    for address, slot, amount in _moved():
        _add(expected, address, slot, amount)
    differences = []
    for address in sorted(held.keys() | expected.keys()):
        wanted = merkle.canonical(expected.get(address, {}).items())
        found = held.get(address, ())
        if wanted != found:
            differences.append({"what": address, "expected": [list(one) for one in wanted], "found": [list(one) for one in found]})
    return differences, len(held)


def _settled_at_once(deployment: Deployment, last_seq: int) -> dict[str, dict[int, int]]:
    """Read again when a batch was made meanwhile: it would be in some of what is added up, and not in the rest."""
    while True:
        made = _last_made()
        sums = _settled(deployment, last_seq)
        if _last_made() == made:
            return sums


def _last_made() -> int | None:
    return SettlementBatch.objects.order_by("-seq").values_list("seq", flat=True).first()


def _settled(deployment: Deployment, last_seq: int) -> dict[str, dict[int, int]]:
    """Return what batches up to `last_seq` and trades on chain gave, by address: all batches that were made, less those not there yet."""
    sums: dict[str, dict[int, int]] = {}
    accounts, positions = list(SettledAccount.objects.all()), list(SettledPosition.objects.all())
    ids = {account.account_id for account in accounts} | {position.account_id for position in positions}
    addresses = {account_id: str(deployment.account_address(account_id)) for account_id in ids}
    for account in accounts:
        _add(sums, addresses[account.account_id], QUOTE, account.balance_atoms)
    for position in positions:
        _add(sums, addresses[position.account_id], merkle.position_slot(position.market_id), position.lots)
    for address, leaves in BatchAccount.objects.filter(batch_id__gt=last_seq).values_list("address", "leaves"):
        for leaf in leaves:
            for slot, amount in leaf["sums"]:
                _add(sums, address, slot, -amount)
    for trade in _traded_since():
        for address, sign in ((trade.buyer, 1), (trade.seller, -1)):
            _add(sums, address, QUOTE, -sign * trade.quote_atoms)
            _add(sums, address, merkle.position_slot(trade.market_id), sign * trade.size_lots)
    return sums


def _traded_since() -> list[ChainTrade]:
    """Return the trades made on chain that no batch has taken into the books yet."""
    rows = ChainEvent.objects.filter(kind__in=KINDS).exclude(number__in=BookedTrade.objects.values("number"))
    return [trade_of(event) for event in rows.order_by("number")]


def _add(sums: dict[str, dict[int, int]], address: str, slot: int, amount: int) -> None:
    slots = sums.setdefault(address, {})
    slots[slot] = slots.get(slot, 0) + amount


def _moved() -> list[tuple[str, int, int]]:
    """Return what went through the vault, by address; added up in the database."""
    found = []
    for kind, sign in MOVED.items():
        rows = ChainEvent.objects.filter(kind=kind).values_list("account_address", "data__asset")
        sums = rows.annotate(total=Sum(Cast(KeyTextTransform("amount", "data"), BigIntegerField())))
        found += [(address, int(asset), sign * int(total)) for address, asset, total in sums]
    return found


def ledger_differences(deployment: Deployment) -> list[dict[str, Any]]:
    """Compare what settlement made of the journal with the tables, at the row that these are at. They are two folds of one journal."""
    with transaction.atomic():
        projection = Projection.objects.select_for_update().filter(id=1).first()
        last, fold = _carried_at_once(deployment)
        if projection is None or last is None or projection.seq < last.journal_seq:
            return []
        tables = books_of_tables()
    try:
        fold_on(fold, last, until_seq=projection.seq)
    except SettlementHalted as halted:
        return [{"what": "journal", "expected": [], "found": halted.message}]
    differing = [one for one in sorted(tables.keys() | fold.books.keys()) if tables.get(one, Book()) != fold.books.get(one, Book())]
    return [
        {"what": f"account {one}", "expected": _plain(tables.get(one, Book())), "found": _plain(fold.books.get(one, Book()))}
        for one in differing
    ]


def _carried_at_once(deployment: Deployment) -> tuple[SettlementBatch | None, Fold]:
    """Return the last batch and what was carried from it, read again when another was made meanwhile."""
    while True:
        last = SettlementBatch.objects.order_by("-seq").first()
        fold = carried.load(deployment=deployment, after=last)
        if _last_made() == (None if last is None else last.seq):
            return last, fold


def _plain(book: Book) -> list[Any]:
    return [book.balance_atoms, {str(market_id): list(held) for market_id, held in sorted(book.positions.items())}]
