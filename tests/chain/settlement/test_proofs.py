"""A trade's proof, as its owner gets it: everything in it leads from the signed order to the chain."""

import base64
import hashlib
import struct
from typing import Any

import pytest
from django.test import Client
from solders.pubkey import Pubkey

from accounts.models import Account, User
from chain import merkle
from chain.models import OutboxAttempt
from markets.signed_orders import order_hash, take_apart, verify
from tests.chain.settlement.desks import Owner, SettlementDesk
from tests.engine.desk import ALICE, BOB

pytestmark = pytest.mark.django_db
DAVE = 1_010


def person(name: str, account_id: int, *, staff: bool = False) -> Client:
    user = User.objects.create_user(name, password="an-evening-in-november", is_staff=staff)
    Account.objects.update_or_create(id=account_id, defaults={"name": name, "owner": user})
    client = Client()
    client.force_login(user)
    return client


def ask(client: Client, path: str, status: int = 200) -> Any:
    answer = client.get(f"/api/v1/chain/{path}")
    assert answer.status_code == status, answer.content
    return answer.json()


def sums(written: list[list[Any]]) -> merkle.Sums:
    return tuple((slot, int(amount)) for slot, amount in written)


@pytest.fixture
def traded(desk: SettlementDesk, settings: Any) -> tuple[SettlementDesk, Owner]:
    """Dave, who owns his account, has bought from Bob."""
    settings.LOCALNET = True
    desk.settle_batch()
    dave = desk.adopt(DAVE)
    dave.trade("buy", 5, 10_000, other=BOB)
    return desk, dave


def test_it_leads_from_a_signed_order_to_the_chain(traded: tuple[SettlementDesk, Owner]) -> None:
    desk, dave = traded
    batch = desk.settle_batch()
    sent = ask(person("dave", DAVE), "proofs/1/")

    account, shown = sent["account"], sent["batch"]
    leaves = [merkle.change_leaf(bytes.fromhex(one["data"]), sums(one["sums"])) for one in account["leaves"]]
    own = merkle.account_leaf(
        account=bytes(Pubkey.from_string(account["address"])), before=sums(account["before"]), changes=len(leaves), root=merkle.root(leaves)
    )
    siblings = tuple(merkle.Node(bytes.fromhex(one["hash"]), sums(one["sums"])) for one in account["siblings"])
    top = merkle.lead(own, merkle.Proof(index=account["index"], leaves=shown["accounts"], siblings=siblings))
    assert top == merkle.Node(bytes.fromhex(shown["root"]), ())
    numbers = struct.pack("<IQQQ", shown["accounts"], shown["begin_ms"], shown["end_ms"], shown["chain_events"])
    head = b"QDBATCH1" + bytes.fromhex(shown["prev_hash"]) + struct.pack("<Q", shown["seq"])
    assert hashlib.sha256(head + bytes.fromhex(shown["root"]) + numbers).hexdigest() == shown["hash"] == bytes(batch.hash or b"").hex()
    assert base64.b64decode(shown["data"])[89:121].hex() == shown["root"]

    trade = next(one for one in account["leaves"] if one["trade_id"] == "1")
    signed = take_apart(base64.b64decode(sent["signed"]))
    assert bytes.fromhex(trade["data"])[1:33] == order_hash(signed.data)
    assert verify(signed.data, signature=signed.signature, public_key=bytes(dave.key.pubkey()))
    assert (account["owner"], account["sub_account"], account["custodied"]) == (str(dave.wallet.pubkey()), 0, False)
    assert sent["key"]["address"] == str(dave.place.trading_key(dave.key.pubkey()))
    assert bytes(dave.key.pubkey()) in base64.b64decode(sent["key"]["data"])
    attempts = OutboxAttempt.objects.filter(entry=batch.entry).order_by("id")
    assert [one["signature"] for one in sent["transactions"]] == list(attempts.values_list("signature", flat=True))


def test_it_proves_each_of_several_fills_that_one_leaf_says(traded: tuple[SettlementDesk, Owner]) -> None:
    desk, dave = traded
    desk.do(dave.order("sell", 9, 10_020))
    for size in (2, 3, 4):
        desk.buy(BOB, size, 10_020, time_in_force="ioc")
    desk.settle_batch()
    desk.assert_equal()
    client = person("dave", DAVE)

    for trade_id in ("2", "3", "4"):
        sent = ask(client, f"proofs/{trade_id}/")
        leaf = next(one for one in sent["account"]["leaves"] if one["trade_id"] == "4")
        assert [(one["trade_id"], one["size_lots"]) for one in leaf["fills"]] == [("2", "2"), ("3", "3"), ("4", "4")]
        assert bytes.fromhex(leaf["data"])[1:33] == order_hash(take_apart(base64.b64decode(sent["signed"])).data)


def test_it_says_plainly_where_the_platform_signs(traded: tuple[SettlementDesk, Owner]) -> None:
    desk, _ = traded
    desk.settle_batch()
    sent = ask(person("bob", BOB), "proofs/1/")

    assert (sent["signed"], sent["account"]["custodied"]) == (None, True)
    assert {one["kind"] for one in sent["account"]["leaves"]} == {"House"}
    assert str(DAVE) not in str(sent["account"]["address"])


def test_it_tells_when_a_trade_is_not_settled_yet(traded: tuple[SettlementDesk, Owner]) -> None:
    traded[0].journal()
    sent = ask(person("dave", DAVE), "proofs/1/", 404)

    assert sent["error"]["code"] == "PROOF_NOT_READY"


def test_it_shows_a_proof_to_nobody_else_but_staff(traded: tuple[SettlementDesk, Owner]) -> None:
    desk, _ = traded
    desk.settle_batch()
    person("dave", DAVE)
    charlie, staff = person("charlie", 1_020), person("sam", 1_021, staff=True)

    assert ask(charlie, "proofs/1/", 404)["error"]["code"] == "PROOF_NOT_FOUND"
    assert ask(charlie, f"proofs/1/?account_id={DAVE}", 404)["error"]["code"] == "ACCOUNT_NOT_FOUND"
    assert ask(staff, f"proofs/1/?account_id={DAVE}")["trade_id"] == "1"
    assert Client().get("/api/v1/chain/proofs/1/").status_code == 401


@pytest.mark.parametrize("trade_id", ["0", "-1", "x", "9" * 30, "1.0", "٣"])
def test_it_finds_no_trade_of_another_number(traded: tuple[SettlementDesk, Owner], trade_id: str) -> None:
    assert ask(person("dave", DAVE), f"proofs/{trade_id}/", 404)["error"]["code"] == "PROOF_NOT_FOUND"


def test_it_lists_batches_to_everybody(traded: tuple[SettlementDesk, Owner]) -> None:
    desk, _ = traded
    desk.settle_batch()
    desk.trade(5, 10_010, buyer=ALICE, seller=BOB)
    desk.make()
    page = ask(Client(), "batches/?limit=1")

    assert ([one["seq"] for one in page["results"]], page["next"]) == ([2], "2")
    assert [one["seq"] for one in ask(Client(), "batches/?cursor=2")["results"]] == [1]
    one = ask(Client(), "batches/2/")
    assert one["hash"] == page["results"][0]["hash"]
    assert not one["final"]
    assert ask(Client(), "batches/3/", 404)["error"]["code"] == "BATCH_NOT_FOUND"
    assert ask(Client(), "batches/x/", 404)["error"]["code"] == "BATCH_NOT_FOUND"
