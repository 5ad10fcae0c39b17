"""The trade page's margin and exit dialogs without a browser."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from markets import figures, ledger
from markets.commands import Deposit, SetAsset
from markets.gateway import gateway
from markets.queries import GetAccount
from markets.seed import ASSETS
from markets.views import AccountView
from tests.support.engine import engine_process, engine_processes
from tests.support.people import Person, alice, bob
from tests.trading.exchange import BTC, PRICE_TICKS, limit
from tests.trading.test_risk_pages import HTMX, browser, text

__all__ = ["alice", "bob", "engine_process", "engine_processes"]

PAGE = "/trade/BTC-PERP/"


def account(person: Person) -> AccountView:
    view = gateway().query(GetAccount(account_id=person.account_id))
    assert view is not None
    return view


def isolate(client: Client, leverage: int = 10) -> Any:
    return client.post(f"{PAGE}leverage/", {"margin_mode": "isolated", "leverage": str(leverage)}, headers=HTMX)


def trade(alice: Person, bob: Person, *, size_lots: int = 10_000) -> None:
    """Let Alice buy 1 BTC from Bob, or another size, at 60,000."""
    for person, side in ((bob, "sell"), (alice, "buy")):
        reply = gateway().submit(limit(person.account_id, side=side, size_lots=size_lots, price_ticks=PRICE_TICKS))
        assert reply.reject is None, reply.reject


def test_it_changes_mode_and_leverage_in_one_dialog(alice: Person) -> None:
    answer = isolate(browser(alice), 20)
    assert answer.status_code == 200
    assert json.loads(answer.headers["HX-Trigger"]) == {"dialog:close": {"id": "leverage-dialog"}}
    assert "Isolated margin" in text(answer)
    assert (account(alice).leverage, account(alice).isolated_atoms) == ({BTC: 20}, {BTC: 0})
    assert "Isolated 20×" in text(browser(alice).get(PAGE))
    again = browser(alice).post(f"{PAGE}leverage/", {"leverage": "5"}, headers=HTMX)
    assert again.status_code == 200
    assert account(alice).isolated_atoms == {BTC: 0}


def test_it_keeps_the_mode_while_something_is_at_stake(alice: Person, bob: Person) -> None:
    trade(alice, bob)
    answer = isolate(browser(alice))
    assert answer.status_code == 422
    assert "position" in text(answer)
    assert account(alice).isolated_atoms == {}


def test_it_shows_what_leverage_would_change(alice: Person, bob: Person) -> None:
    trade(alice, bob)
    page = text(browser(alice).post(f"{PAGE}leverage/preview/", {"leverage": "20", "margin_mode": "cross"}, headers=HTMX))
    assert "Initial margin $6,000.00 $3,000.00" in page
    assert "BTC-PERP liquidation" in page
    assert "Initial margin" not in text(browser(alice).post(f"{PAGE}leverage/preview/", {"leverage": "x"}, headers=HTMX))


def test_it_adds_margin_to_an_isolated_position_and_removes_it(alice: Person, bob: Person) -> None:
    client = browser(alice)
    isolate(client)
    trade(alice, bob, size_lots=1_000)
    before = account(alice).positions[0]
    assert before.margin_mode == "isolated"
    form = client.get(f"{PAGE}isolated-margin/", headers=HTMX)
    assert json.loads(form.headers["HX-Trigger"]) == {"dialog:open": {"id": "isolated-dialog"}}
    tried = text(client.post(f"{PAGE}isolated-margin/preview/", {"amount": "1,000", "direction": "add"}, headers=HTMX))
    assert "Position margin" in tried
    added = client.post(f"{PAGE}isolated-margin/", {"amount": "1,000", "direction": "add"}, headers=HTMX)
    assert json.loads(added.headers["HX-Trigger"]) == {"dialog:close": {"id": "isolated-dialog"}}
    after = account(alice).positions[0]
    assert after.margin_atoms == before.margin_atoms + 1_000_000_000
    assert after.liquidation_ticks < before.liquidation_ticks
    assert f"{after.liquidation_ticks / 10:,.1f}" in tried
    client.post(f"{PAGE}isolated-margin/", {"amount": "400", "direction": "remove"}, headers=HTMX)
    assert account(alice).positions[0].margin_atoms == before.margin_atoms + 600_000_000
    refused = client.post(f"{PAGE}isolated-margin/", {"amount": "100000", "direction": "remove"}, headers=HTMX)
    assert refused.status_code == 422
    assert "try" not in text(refused)


def test_it_says_the_most_that_can_be_moved(alice: Person, bob: Person) -> None:
    client = browser(alice)
    isolate(client)
    trade(alice, bob, size_lots=1_000)

    def tried(amount: str, direction: str) -> tuple[str, bool]:
        page = client.post(f"{PAGE}isolated-margin/preview/", {"amount": amount, "direction": direction}, headers=HTMX)
        return text(page), "disabled" in page.content.decode()

    words, disabled = tried("99999", "remove")
    assert ("Nothing can be removed now" in words, "Position margin" in words, disabled) == (True, False, True)
    assert client.post(f"{PAGE}isolated-margin/", {"amount": "1000", "direction": "add"}, headers=HTMX).status_code == 200
    words, disabled = tried("400.01", "remove")
    assert ("At most $400.00 can be removed now." in words, disabled) == (True, True)
    assert tried("400", "remove")[1] is False
    free = account(alice).available_atoms // 10_000
    words, disabled = tried(f"{(free + 1) / 100:.2f}", "add")
    assert (f"At most ${free / 100:,.2f} can be added now." in words, disabled) == (True, True)
    assert tried(f"{free / 100:.2f}", "add")[1] is False
    assert client.post(f"{PAGE}isolated-margin/", {"amount": f"{free / 100:.2f}", "direction": "add"}, headers=HTMX).status_code == 200


WRONG_AMOUNTS = [("", "decimal string"), ("-5", "without a sign"), ("0", "more than zero"), ("1.0000001", "try 1")]


@pytest.mark.parametrize(("amount", "words"), WRONG_AMOUNTS)
def test_it_says_which_amount_it_cannot_move(alice: Person, bob: Person, amount: str, words: str) -> None:
    client = browser(alice)
    isolate(client)
    trade(alice, bob)
    answer = client.post(f"{PAGE}isolated-margin/", {"amount": amount, "direction": "add"}, headers=HTMX)
    assert answer.status_code == 422
    assert words in text(answer), text(answer)


def test_it_moves_nothing_where_nothing_is_isolated(alice: Person, bob: Person) -> None:
    trade(alice, bob)
    answer = browser(alice).get(f"{PAGE}isolated-margin/", headers=HTMX)
    assert (answer.status_code, "no isolated position" in text(answer)) == (409, True)


def test_it_sets_moves_and_cancels_exits(alice: Person, bob: Person) -> None:
    client = browser(alice)
    assert client.get(f"{PAGE}exits/", headers=HTMX).status_code == 409
    trade(alice, bob)
    assert "Take profit, when mark is above" in text(client.get(f"{PAGE}exits/", headers=HTMX))
    set_ = client.post(f"{PAGE}exits/", {"take_profit": "66,000", "stop_loss": "57k"}, headers=HTMX)
    assert json.loads(set_.headers["HX-Trigger"]) == {"dialog:close": {"id": "exits-dialog"}}
    assert "Take profit 66,000, Stop loss 57,000" in text(set_)
    first = {order.type: order for order in account(alice).orders}
    assert {kind: (order.trigger_ticks, order.close_position) for kind, order in first.items()} == {
        "take_profit_market": (660_000, True),
        "stop_market": (570_000, True),
    }
    assert 'value="57000.0"' in client.get(f"{PAGE}exits/", headers=HTMX).content.decode()
    client.post(f"{PAGE}exits/", {"take_profit": "66000", "stop_loss": "58000"}, headers=HTMX)
    moved = {order.type: order for order in account(alice).orders}
    assert moved["take_profit_market"] == first["take_profit_market"]
    assert (moved["stop_market"].order_id, moved["stop_market"].trigger_ticks) == (first["stop_market"].order_id, 580_000)
    client.post(f"{PAGE}exits/", {"take_profit": "", "stop_loss": "58000"}, headers=HTMX)
    assert [order.type for order in account(alice).orders] == ["stop_market"]


def test_it_sets_one_exit_though_the_other_is_refused(alice: Person, bob: Person) -> None:
    trade(alice, bob)
    answer = browser(alice).post(f"{PAGE}exits/", {"take_profit": "59000", "stop_loss": "57000"}, headers=HTMX)
    assert answer.status_code == 422
    assert "This would trigger at once" in text(answer)
    assert [order.type for order in account(alice).orders] == ["stop_market"]


@pytest.mark.parametrize("path", ["exits/", "isolated-margin/"])
def test_it_has_a_page_for_each_dialog(alice: Person, bob: Person, path: str) -> None:
    client = browser(alice)
    isolate(client)
    trade(alice, bob)
    page = client.get(PAGE + path)
    assert page.status_code == 200
    assert b"<html" in page.content


def test_it_shows_each_balance_with_its_own_figures(alice: Person, bob: Person) -> None:
    trade(alice, bob)
    deposit = Deposit(account_id=alice.account_id, asset="SOL", amount_atoms=10 * 10**9, number=2, source_account_id=ledger.FAUCET)
    for command in (SetAsset(parameters=next(asset for asset in ASSETS if asset.asset == "SOL"), author="test"), deposit):
        reply = gateway().submit(command)
        assert reply.reject is None, reply.reject
    page = browser(alice).get(PAGE).content.decode()
    found = {
        asset: re.findall(r'data-label="([^"]+)">([^<]*)<', row) for asset, row in re.findall(r'<tr id="balance-(\w+)">(.*?)</tr>', page)
    }
    rows = {asset: dict(cells) for asset, cells in found.items()}
    view = account(alice)
    sol = next(row for row in view.assets if row.asset == "SOL")
    assert rows["SOL"] == {
        "Balance": "10.000000000",
        "Value": "$1,500.00",
        "Counts for": figures.dollars(sol.maintenance_value_atoms),
        "For initial margin": figures.dollars(sol.initial_value_atoms),
        "Withdrawable": f"{sol.withdrawable_atoms / 10**9:,.9f}",
    }
    assert {"$1.0000", "$150.0000"} <= set(re.findall(r"\$[\d,.]+", text(browser(alice).get("/risk/"))))
    assert 0 < sol.initial_value_atoms < sol.value_atoms
    assert rows["USDC"]["Withdrawable"] == f"{view.withdrawable_atoms / 10**6:,.6f}"
    assert rows["USDC"]["Value"] == rows["USDC"]["Counts for"] == figures.dollars(view.balances["USDC"])
