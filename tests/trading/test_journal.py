import msgspec
import pytest

from markets.events import AccountOpened, OrderAccepted
from tests.trading.exchange import ALICE, limit
from trading import journal
from trading.journal import GENESIS_HASH, FoundId, JournalBody, JournalCorrupt, SealedRow, seal

ORDER = limit(signed=b"signed by its owner")
BODY = JournalBody(
    commands=[ORDER],
    found_ids=[FoundId(ALICE, "old-id", 7, b"0123456789abcdef")],
    events=[AccountOpened(account_id=ALICE), OrderAccepted(order_id=1, order=ORDER, price_ticks=1, size_lots=1, status="open")],
)


def sealed(seq: int = 1, previous_hash: bytes = GENESIS_HASH) -> SealedRow:
    return seal(BODY, seq=seq, epoch=3, previous_hash=previous_hash, stamp_ms=1_795_000_000_000, rules_version=1)


def test_it_keeps_commands_with_what_their_owners_signed_found_ids_and_events() -> None:
    assert journal.unseal(sealed().payload) == BODY


def test_it_verifies_a_chain_of_rows() -> None:
    first = sealed()
    second = sealed(2, first.hash)
    assert journal.verify([first, second]) == second.hash


@pytest.mark.parametrize("field", ["seq", "epoch", "stamp_ms", "rules_version", "commands"])
def test_it_notices_a_changed_number(field: str) -> None:
    row = sealed()
    forged = msgspec.structs.replace(row, **{field: getattr(row, field) + 1})
    with pytest.raises(JournalCorrupt, match="has been changed"):
        forged.verify(GENESIS_HASH)


@pytest.mark.parametrize("position", [0, 10, -1])
def test_it_notices_a_changed_byte_of_the_payload(position: int) -> None:
    row = sealed()
    payload = bytearray(row.payload)
    payload[position] ^= 1
    with pytest.raises(JournalCorrupt, match="has been changed"):
        msgspec.structs.replace(row, payload=bytes(payload)).verify(GENESIS_HASH)


def test_it_notices_a_row_that_is_missing() -> None:
    first = sealed()
    third = sealed(3, sealed(2, first.hash).hash)
    with pytest.raises(JournalCorrupt, match="does not follow"):
        journal.verify([first, third])
