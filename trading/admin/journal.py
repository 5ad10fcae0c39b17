"""The journal, decoded: what each group commit was told and what happened."""

from collections.abc import Sequence
from typing import Any

import msgspec
from django.contrib import admin
from django.utils.html import format_html

from markets.read_only_admin import ReadOnlyAdmin, row_link, table
from markets.stamps import at
from trading import journal
from trading.models import Journal, Snapshot

MAX_SHOWN = 200
LINKED = {"account_id": "accounts.account", "order_id": "trading.order", "trade_id": "markets.trade", "liquidation_id": "risk.liquidation"}


@admin.register(Journal)
class JournalAdmin(ReadOnlyAdmin):
    list_display = ("seq", "stamp", "epoch", "rules_version", "commands", "size_bytes", "short_hash")
    fields = ("seq", "stamp", "epoch", "rules_version", "full_hash", "previous", "intact", "commands_shown", "events_shown")
    readonly_fields = ("stamp", "full_hash", "previous", "intact", "commands_shown", "events_shown")
    numbers = ("seq",)
    ordering = ("-seq",)

    @admin.display(description="stamp")
    def stamp(self, row: Journal) -> Any:
        return at(row.stamp_ms)

    @admin.display(description="bytes")
    def size_bytes(self, row: Journal) -> int:
        return len(row.payload)

    @admin.display(description="hash")
    def short_hash(self, row: Journal) -> str:
        return bytes(row.hash).hex()[:12]

    @admin.display(description="hash")
    def full_hash(self, row: Journal) -> str:
        return bytes(row.hash).hex()

    @admin.display(description="previous hash")
    def previous(self, row: Journal) -> Any:
        return format_html("{} ({})", bytes(row.previous_hash).hex(), row_link("trading.journal", row.seq - 1))

    @admin.display(description="intact", boolean=True)
    def intact(self, row: Journal) -> bool:
        """Tell whether the row still has the hash that it was sealed with."""
        return journal.chain_hash(_sealed(row)) == bytes(row.hash)

    @admin.display(description="commands")
    def commands_shown(self, row: Journal) -> Any:
        return _items(journal.unseal(bytes(row.payload)).commands)

    @admin.display(description="events")
    def events_shown(self, row: Journal) -> Any:
        return _items(journal.unseal(bytes(row.payload)).events)


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    list_display = ("seq", "rules_version", "size_bytes", "taken_at", "short_hash", "journal_row")
    fields = ("seq", "rules_version", "state_hash", "size_bytes", "taken_at", "journal_row")
    readonly_fields = ("journal_row",)
    date_hierarchy = "taken_at"
    numbers = ("seq",)
    texts = ("state_hash",)
    ordering = ("-seq",)

    @admin.display(description="state hash")
    def short_hash(self, row: Snapshot) -> str:
        return row.state_hash[:12]

    @admin.display(description="journal row")
    def journal_row(self, row: Snapshot) -> Any:
        return row_link("trading.journal", row.seq)


def _sealed(row: Journal) -> journal.SealedRow:
    names = journal.SealedRow.__struct_fields__
    return journal.SealedRow.of(tuple(getattr(row, name) for name in names))


def _items(items: Sequence[msgspec.Struct]) -> Any:
    """Return commands or events as a table; a very long batch is cut, and says so."""
    rows = [(place, type(item).__name__, _facts(item)) for place, item in enumerate(items[:MAX_SHOWN])]
    if len(items) > MAX_SHOWN:
        rows.append((MAX_SHOWN, f"and {len(items) - MAX_SHOWN} more", ""))
    return table(("Place", "Name", "Fields"), rows)


def _facts(item: msgspec.Struct) -> Any:
    facts = msgspec.structs.asdict(item)
    shown = [(name, value) for name, value in facts.items() if value not in ("", 0, b"", None, False, ())]
    return table(("Field", "Value"), ((name, _value(name, value)) for name, value in shown)) if shown else ""


def _value(name: str, value: Any) -> Any:
    if name in LINKED and isinstance(value, int):
        return row_link(LINKED[name], value)
    if name == "market_id":
        return row_link("markets.market", value)
    return value if isinstance(value, str | int) else msgspec.json.encode(value).decode()
