"""Margin over REST: explained, tried out, and changed, in the shapes that the documentation names."""

from decimal import Decimal
from typing import Any

import pytest

from accounts.selectors import default_account
from tests.support.api import Desk, desk, exact
from tests.support.engine import engine_process, engine_processes
from trading.api import margin_schemas, schemas

__all__ = ["desk", "engine_process", "engine_processes"]

LIMIT = {"market": "BTC-PERP", "type": "limit", "size": "1.0000", "price": "60000.0"}


def trade(desk: Desk, size: str = "1.0000") -> None:
    """Let Alice buy BTC from Bob, at 60,000."""
    for person, side in ((desk.bob, "sell"), (desk.alice, "buy")):
        assert person.post("orders/", LIMIT | {"side": side, "size": size}).status == 201


def explain(desk: Desk) -> margin_schemas.MarginExplanation:
    return exact(desk.alice.get("margin/explain/").json, margin_schemas.MarginExplanation)


def test_it_explains_what_the_account_says(desk: Desk) -> None:
    trade(desk)
    account = exact(desk.alice.get("account/").json, schemas.Account)
    (pool,) = explain(desk).pools
    (position,) = pool.positions
    assert (pool.margin_mode, pool.market) == ("cross", None)
    assert (pool.equity, pool.initial_margin, pool.maintenance_margin) == (
        account.equity,
        account.initial_margin,
        account.maintenance_margin,
    )
    assert (pool.available, pool.withdrawable) == (account.available, account.withdrawable)
    assert position.liquidation_below is not None
    assert position.liquidation_below.price == account.positions[0].liquidation_price
    assert Decimal(position.liquidation_below.equity) < Decimal(position.liquidation_below.maintenance)
    assert position.liquidation_above is None
    assert position.maintenance_margin == margin_schemas.MaintenanceTerms("60000.000000", "0.004000", "0.000000", "240.000000")
    assert [term.asset for term in pool.collateral] == ["USDC"]
    assert pool.collateral[0].weight == "1.000000"


def test_it_tries_an_order_prices_and_leverage_and_does_nothing(desk: Desk) -> None:
    trade(desk)
    before = explain(desk)
    tried = {
        "order": LIMIT | {"side": "buy", "size": "0.1000", "price": "59000.0"},
        "moves": {"BTC-PERP": "-5"},
        "leverage": {"BTC-PERP": 20},
    }
    answer = desk.alice.post("margin/preview/", tried)
    assert answer.status == 200, answer
    preview = exact(answer.json, margin_schemas.MarginPreview)
    assert preview.reject is None
    assert preview.before == before
    assert Decimal(preview.after.pools[0].equity) == Decimal(before.pools[0].equity) - 3_000
    assert preview.after.pools[0].positions[0].leverage == 20
    assert explain(desk) == before


def test_it_says_why_an_order_would_be_refused(desk: Desk) -> None:
    answer = desk.alice.post("margin/preview/", {"order": LIMIT | {"side": "buy", "size": "100.0000"}})
    assert (answer.status, answer.json["reject"]["code"]) == (200, "INSUFFICIENT_MARGIN")
    assert Decimal(answer.json["after"]["pools"][0]["available"]) < 0


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"order": LIMIT | {"side": "buy", "size": "1.00001"}}, "TOO_MANY_DECIMALS", "order.size"),
    ({"order": LIMIT | {"side": "up"}}, "INVALID_CHOICE", "order.side"),
    ({"moves": {"BTC-PERP": "5 %"}}, "NUMBER_MALFORMED", "moves.BTC-PERP"),
    ({"moves": {"BTC-PERP": "-99.5"}}, "NUMBER_TOO_LARGE", "moves.BTC-PERP"),
    ({"moves": {"BTC-PERP": 5}}, "WRONG_TYPE", "moves[...]"),
    ({"leverage": {"BTC-PERP": 0}}, "INVALID_LEVERAGE", "leverage.BTC-PERP"),
    ({"isolated_margin": {"BTC-PERP": "--1"}}, "NUMBER_SIGNED", "isolated_margin.BTC-PERP"),
    ({"steps": []}, "UNKNOWN_FIELD", "steps"),
]


@pytest.mark.parametrize(("body", "code", "field"), WRONG)
def test_it_names_the_field_that_cannot_be_tried(desk: Desk, body: dict[str, Any], code: str, field: str) -> None:
    answer = desk.alice.post("margin/preview/", body)
    assert (answer.status, answer.error["code"], answer.error["data"]["field"]) == (400, code, field), answer


def test_it_knows_no_other_markets(desk: Desk) -> None:
    for body in ({"moves": {"NO-PERP": "1"}}, {"leverage": {"NO-PERP": 1}}, {"isolated_margin": {"NO-PERP": "1"}}):
        answer = desk.alice.post("margin/preview/", body)
        assert (answer.status, answer.error["code"]) == (404, "MARKET_NOT_FOUND")


def test_it_isolates_a_market_and_moves_margin(desk: Desk) -> None:
    for _ in range(2):
        assert desk.alice.put("margin-mode/", {"market": "BTC-PERP", "mode": "isolated"}).json == {"market": "BTC-PERP", "mode": "isolated"}
    trade(desk, "0.1000")
    kept = desk.alice.post("isolated-margin/", {"market": "BTC-PERP", "amount": "-1"})
    assert (kept.status, kept.error["code"]) == (422, "INSUFFICIENT_BALANCE"), kept
    assert desk.alice.post("isolated-margin/", {"market": "BTC-PERP", "amount": "600"}).status == 200  # a fifth of the notional stays
    before = explain(desk).pools[1]
    moved = desk.alice.post("isolated-margin/", {"market": "BTC-PERP", "amount": "250.5"})
    assert (moved.status, moved.json) == (200, {"market": "BTC-PERP", "amount": "250.500000"}), moved
    after = explain(desk).pools[1]
    assert (after.margin_mode, after.market) == ("isolated", "BTC-PERP")
    assert Decimal(after.equity) == Decimal(before.equity) + Decimal("250.5")
    assert desk.alice.post("isolated-margin/", {"market": "BTC-PERP", "amount": "-250.5"}).json["amount"] == "-250.500000"
    assert explain(desk).pools[1] == before


REFUSED: list[tuple[str, str, dict[str, Any], str]] = [
    ("PUT", "margin-mode/", {"market": "BTC-PERP", "mode": "isolated"}, "HAS_EXPOSURE"),
    ("POST", "isolated-margin/", {"market": "BTC-PERP", "amount": "1"}, "NOT_ISOLATED"),
]


@pytest.mark.parametrize(("method", "path", "body", "code"), REFUSED)
def test_it_says_why_margin_stays_as_it_is(desk: Desk, method: str, path: str, body: dict[str, Any], code: str) -> None:
    trade(desk)
    answer = desk.alice.send(method, path, body)
    assert (answer.status, answer.error["code"]) == (422, code), answer


def test_it_hides_margin_from_others(desk: Desk) -> None:
    account_id = default_account(desk.alice.user).id
    for method, path, body in (
        ("GET", "margin/explain/", None),
        ("POST", "margin/preview/", {}),
        ("PUT", "margin-mode/", {"market": "BTC-PERP", "mode": "isolated"}),
        ("POST", "isolated-margin/", {"market": "BTC-PERP", "amount": "1"}),
    ):
        answer = desk.bob.send(method, f"{path}?account_id={account_id}", body)
        assert (answer.status, answer.error["code"]) == (404, "ACCOUNT_NOT_FOUND"), answer
