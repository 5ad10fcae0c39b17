"""Who may do what: every route of the API and of the pages, for everybody. A route that is not in the tables fails.

Alice owns the account, the key and the order that the addresses name; Bob is another user, Sam is staff without an account.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts.models import User
from accounts.selectors import default_account
from quantdesk.api.schema import document
from risk.models import Liquidation
from tests.support.api import PASSWORD, Caller, Desk, Person, desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["desk", "engine_process", "engine_processes"]

CALLERS = ("anonymous", "other", "owner", "read_key", "trade_key", "staff")
ORDER = {"market": "BTC-PERP", "side": "buy", "type": "limit", "size": "0.0100", "price": "59000.0"}
ANYBODY = (200,) * 6
# Bob's own account answers him; Sam has none.
OWN_READ = (401, 200, 200, 200, 200, 404)
OWN_WRITE = (401, 200, 200, 403, 200, 404)
# What the address names is Alice's: to others it is not there.
ALICES_READ = (401, 404, 200, 200, 200, 404)
ALICES_WRITE = (401, 404, 200, 403, 200, 404)
PERSON_ONLY = (401, 200, 200, 403, 403, 200)

API: dict[tuple[str, str], tuple[tuple[int, ...], Any]] = {
    ("GET", "api/v1/time/"): (ANYBODY, None),
    ("GET", "api/v1/markets/"): (ANYBODY, None),
    ("GET", "api/v1/markets/overview/"): (ANYBODY, None),
    ("GET", "api/v1/markets/<str:symbol>/"): (ANYBODY, None),
    ("GET", "api/v1/markets/<str:symbol>/book/"): (ANYBODY, None),
    ("GET", "api/v1/markets/<str:symbol>/trades/"): (ANYBODY, None),
    ("GET", "api/v1/markets/<str:symbol>/candles/"): (ANYBODY, None),
    ("GET", "api/v1/markets/<str:symbol>/funding/"): (ANYBODY, None),
    ("GET", "api/v1/markets/<str:symbol>/open-interest/"): (ANYBODY, None),
    ("GET", "api/v1/oracle/"): (ANYBODY, None),
    ("GET", "api/v1/oracle/<str:symbol>/"): (ANYBODY, None),
    ("GET", "api/v1/oracle/<str:symbol>/history/"): (ANYBODY, None),
    ("GET", "api/v1/assets/"): (ANYBODY, None),
    ("GET", "api/v1/tickers/"): (ANYBODY, None),
    ("GET", "api/v1/tickers/<str:symbol>/"): (ANYBODY, None),
    ("GET", "api/v1/schema/"): (ANYBODY, None),
    ("GET", "api/v1/docs/"): (ANYBODY, None),
    ("GET", "api/v1/api-keys/"): (PERSON_ONLY, None),
    ("POST", "api/v1/api-keys/"): ((401, 201, 201, 403, 403, 404), {"label": "bot"}),
    ("DELETE", "api/v1/api-keys/<str:key_id>/"): ((401, 404, 204, 403, 403, 404), None),
    ("GET", "api/v1/accounts/"): (PERSON_ONLY, None),
    ("POST", "api/v1/accounts/"): ((401, 400, 400, 403, 403, 400), {"name": ""}),
    ("POST", "api/v1/accounts/transfer/"): ((401, 404, 404, 403, 403, 404), {"to_account_id": 2, "amount": "1"}),
    ("GET", "api/v1/account/"): (OWN_READ, None),
    ("GET", "api/v1/orders/"): (OWN_READ, None),
    ("POST", "api/v1/orders/"): ((401, 201, 201, 403, 201, 404), ORDER),
    ("DELETE", "api/v1/orders/"): (OWN_WRITE, None),
    ("POST", "api/v1/orders/batch/"): (OWN_WRITE, {"items": [{"op": "cancel", "order_id": "1"}]}),
    ("POST", "api/v1/orders/preview/"): (OWN_READ, ORDER),
    ("GET", "api/v1/orders/by-client-id/<path:client_order_id>/"): (ALICES_READ, None),
    ("DELETE", "api/v1/orders/by-client-id/<path:client_order_id>/"): (ALICES_WRITE, None),
    ("GET", "api/v1/orders/<str:order_id>/"): (ALICES_READ, None),
    ("PATCH", "api/v1/orders/<str:order_id>/"): (ALICES_WRITE, {"size": "0.0050"}),
    ("DELETE", "api/v1/orders/<str:order_id>/"): (ALICES_WRITE, None),
    ("GET", "api/v1/fills/"): (OWN_READ, None),
    ("GET", "api/v1/transfers/"): (OWN_READ, None),
    ("GET", "api/v1/funding/"): (OWN_READ, None),
    ("GET", "api/v1/liquidations/"): (OWN_READ, None),
    ("GET", "api/v1/liquidations/<str:liquidation_id>/"): (ALICES_READ, None),
    ("GET", "api/v1/insurance/"): (ANYBODY, None),
    ("GET", "api/v1/deleveraging/"): (OWN_READ, None),
    ("GET", "api/v1/deleveraging/history/"): (OWN_READ, None),
    ("PUT", "api/v1/leverage/"): (OWN_WRITE, {"market": "BTC-PERP", "leverage": 7}),
    ("GET", "api/v1/margin/explain/"): (OWN_READ, None),
    ("POST", "api/v1/margin/preview/"): (OWN_READ, {"order": ORDER, "moves": {"BTC-PERP": "-10"}}),
    ("PUT", "api/v1/margin-mode/"): (OWN_WRITE, {"market": "SOL-PERP", "mode": "isolated"}),
    ("POST", "api/v1/isolated-margin/"): ((401, 422, 422, 403, 422, 404), {"market": "BTC-PERP", "amount": "1"}),
    ("PUT", "api/v1/dead-mans-switch/"): (OWN_WRITE, {"timeout_ms": 60_000}),
}
# These desks have no chain: who may ask is told so (tests/chain/custody/test_api.py has one).
WITHOUT_CHAIN = (401, 404, 404, 403, 403, 404)
API |= {
    (method, f"api/v1/chain/{path}"): (WITHOUT_CHAIN, None)
    for method, path in (
        ("POST", "wallets/challenge/"), ("POST", "wallets/"), ("GET", "wallet/"), ("POST", "faucet/"), ("POST", "transactions/deposit/"),
        ("POST", "transactions/register-key/"), ("POST", "transactions/revoke-key/"), ("POST", "transactions/withdraw/"),
        ("POST", "transactions/request-exit/"), ("POST", "transactions/"), ("GET", "transactions/<str:signature>/"),
        ("GET", "withdrawals/"), ("POST", "withdrawals/"), ("GET", "withdrawals/<str:withdrawal_id>/"), ("GET", "addresses/"),
        ("POST", "addresses/"), ("DELETE", "addresses/<str:address>/"),
    )
}  # fmt: skip
API["GET", "api/v1/chain/config/"] = ((404,) * 6, None)
API["GET", "api/v1/chain/batches/"] = API["GET", "api/v1/chain/batches/<str:seq>/"] = ((404,) * 6, None)
API["GET", "api/v1/chain/proofs/<str:trade_id>/"] = ((401, 404, 404, 404, 404, 404), None)
# With ?account_id= of Alice: an account is no more open than what is in it.
BY_ACCOUNT = [
    ("GET", "account/"), ("GET", "orders/"), ("GET", "orders/?status=open"), ("POST", "orders/"), ("DELETE", "orders/"), ("GET", "fills/"),
    ("POST", "orders/batch/"), ("POST", "orders/preview/"), ("GET", "transfers/"), ("GET", "funding/"), ("PUT", "leverage/"),
    ("PUT", "dead-mans-switch/"), ("GET", "margin/explain/"), ("POST", "margin/preview/"), ("PUT", "margin-mode/"),
]  # fmt: skip
SOMEBODYS_ADDRESS = "So11111111111111111111111111111111111111112"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PUBLIC_PAGES = {
    "markets/", "udf/config", "udf/time", "udf/symbols", "udf/search", "udf/history", "udf/marks", "udf/timescale_marks", "udf/quotes",
    "", "favicon.ico", "healthz", "readyz", "metrics", "display/", "accounts/login/", "accounts/register/", "accounts/logout/", "trade/",
    "trade/<str:symbol>/", "trade/<str:symbol>/candles/", "chain/", "chain/state/", "chain/tx/<str:signature>/",
    "chain/tx/<str:signature>/state/",
}  # fmt: skip
# Everybody else is sent to the log-in; what people change there is their own.
PEOPLES_PAGES = {
    "risk/", "risk/figures/", "risk/what-if/", "risk/book/", "risk/liquidations/",
    "account/", "account/deposit/", "account/api-keys/", "trade/<str:symbol>/private/", "trade/<str:symbol>/history/",
    "trade/<str:symbol>/fills/", "trade/<str:symbol>/funding/", "trade/<str:symbol>/orders/", "trade/<str:symbol>/preview/",
    "trade/<str:symbol>/orders/cancel-all/", "trade/<str:symbol>/close/", "trade/<str:symbol>/reverse/", "trade/<str:symbol>/leverage/",
    "trade/<str:symbol>/leverage/preview/", "trade/<str:symbol>/isolated-margin/", "trade/<str:symbol>/isolated-margin/preview/",
    "trade/<str:symbol>/exits/", "accounts/", "accounts/select/", "accounts/create/", "accounts/transfer/",
    "wallet/", "wallet/state/",
}  # fmt: skip
NAMING_PAGES = {
    "account/api-keys/<str:key_id>/revoke/", "trade/<str:symbol>/orders/<order:order_id>/cancel/",
    "trade/<str:symbol>/orders/<order:order_id>/amend/", "risk/liquidations/<order:liquidation_id>/",
    "risk/liquidations/<order:liquidation_id>/dispute/", "accounts/<int:account_id>/rename/", "proof/<order:trade_id>/",
}  # fmt: skip


class Named(NamedTuple):
    """What the addresses name; fresh for each request, as some requests end it."""

    symbol: str
    order_id: str
    client_order_id: str
    key_id: str
    liquidation_id: str = ""
    withdrawal_id: str = "1"
    seq: str = "1"
    signature: str = "1" * 88
    account_id: str = "1"
    trade_id: str = "1"


class Route(NamedTuple):
    address: str
    view: Any


def routes(patterns: list[Any] | None = None, prefix: str = "") -> Iterator[Route]:
    """Return every route of the URLconf but the admin's own, which Django guards as a whole."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if address != "admin/":
                yield from routes(pattern.url_patterns, address)
        elif isinstance(pattern, URLPattern):
            yield Route(address, pattern.callback)


def methods_of(view: Any) -> list[str]:
    shown = getattr(view, "view_class", None)
    return [method for method in METHODS if hasattr(shown, method.lower())] if shown else ["GET"]


def documented(method: str, route: str) -> set[str]:
    """Return the statuses that the OpenAPI document names; the document's own two routes are not in it."""
    path = "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
    operations = document()["paths"].get(path)
    return set(operations[method.lower()]["responses"]) if operations else {"200"}


def test_it_knows_every_route_and_method_of_the_api() -> None:
    served = {(method, route.address) for route in routes() if route.address.startswith("api/") for method in methods_of(route.view)}
    assert served - {("GET", "api/v1/")} == set(API), "a route of the API is not in the table, or has gone"


@pytest.fixture
def callers(desk: Desk) -> dict[str, Caller]:
    return {
        "anonymous": desk.anonymous,
        "other": desk.bob,
        "owner": desk.alice,
        "read_key": desk.program_of(desk.alice, can_trade=False),
        "trade_key": desk.program_of(desk.alice),
        "staff": Person(User.objects.create_user("sam", password=PASSWORD, is_staff=True)),
    }


def alices(desk: Desk) -> Named:
    """Make what the addresses name."""
    name = f"a-{User.objects.count()}-{desk.alice.get('account/').json['seq']}"
    placed = desk.alice.post("orders/", ORDER | {"client_order_id": name})
    assert placed.status == 201, placed
    key = desk.alice.post("api-keys/", {"label": "named"}).json["key_id"]
    liquidation = Liquidation.objects.create(
        id=Liquidation.objects.count() + 1,
        account=default_account(desk.alice.user),
        equity_atoms=99,
        maintenance_atoms=100,
        started_at=timezone.now(),
    )
    return Named("BTC-PERP", placed.json["order_id"], name, key, str(liquidation.id), str(default_account(desk.alice.user).id), "1")


def address_of(route: str, named: Named) -> str:
    for field, value in named._asdict().items():
        route = re.sub(rf"<\w+:{field}>", value, route)
    return "/" + route.replace("<str:address>", SOMEBODYS_ADDRESS)


def test_it_answers_each_caller_as_the_table_says(desk: Desk, callers: dict[str, Caller]) -> None:
    wrong = []
    for (method, route), (expected, body) in API.items():
        for caller, status in zip(CALLERS, expected, strict=True):
            named = alices(desk) if "_id>" in route else Named("BTC-PERP", "", "", "")
            desk.project()
            answer = callers[caller].send(method, address_of(route, named), body)
            if str(answer.status) not in documented(method, route):
                wrong.append(f"{method} {route}: {answer.status} is not documented")
            if answer.status != status:
                wrong.append(f"{method} {route} for {caller}: {answer.status}, not {status}: {answer.content[:120]!r}")
            if named.key_id:
                desk.alice.delete(f"api-keys/{named.key_id}/")
    assert not wrong, "\n".join(wrong)


def test_it_hides_an_account_from_everybody_else(desk: Desk, callers: dict[str, Caller]) -> None:
    account = default_account(desk.alice.user).id
    bodies = {"orders/": ORDER, "orders/preview/": ORDER, "leverage/": {"market": "BTC-PERP", "leverage": 3}}
    bodies |= {"margin/preview/": {}, "margin-mode/": {"market": "ETH-PERP", "mode": "isolated"}}
    bodies |= {"dead-mans-switch/": {"timeout_ms": 0}, "orders/batch/": {"items": [{"op": "cancel", "order_id": "1"}]}}
    wrong = []
    for method, path in BY_ACCOUNT:
        address = f"{path}{'&' if '?' in path else '?'}account_id={account}"
        body = bodies.get(path) if method in ("POST", "PUT") else None
        for caller, allowed in (("other", False), ("staff", False), ("bobs_key", False), ("owner", True), ("trade_key", True)):
            who = desk.program_of(desk.bob) if caller == "bobs_key" else callers[caller]
            answer = who.send(method, address, body)
            if (answer.status in (200, 201)) != allowed or (not allowed and answer.status != 404):
                wrong.append(f"{method} {address} for {caller}: {answer}")
        desk.project()
    assert not wrong, "\n".join(wrong)


def test_it_knows_every_page() -> None:
    pages = {route.address for route in routes() if not route.address.startswith("api/")}
    assert pages == PUBLIC_PAGES | PEOPLES_PAGES | NAMING_PAGES, "a page is not in the tables, or has gone"


def test_it_sends_strangers_from_private_pages_to_the_log_in(desk: Desk) -> None:
    named = alices(desk)
    for route in sorted(PEOPLES_PAGES | NAMING_PAGES):
        answers = [desk.anonymous.send(method, address_of(route, named)) for method in ("GET", "POST")]
        sent = [answer.headers.get("Location", "").startswith("/accounts/login/") for answer in answers]
        assert any(sent), route
        assert all(away or answer.status == 405 for away, answer in zip(sent, answers, strict=True)), (route, answers)


def test_it_lets_nobody_change_by_a_page_what_is_anothers(desk: Desk, callers: dict[str, Caller]) -> None:
    named = alices(desk)
    desk.project()
    order = desk.alice.get(f"orders/{named.order_id}/").json
    for caller in ("other", "staff"):
        browser = callers[caller].client
        for route in sorted(NAMING_PAGES):
            assert browser.get(address_of(route, named)).status_code != 200, (caller, route)
            assert browser.post(address_of(route, named), {"size": "0.0050", "price": "58000.0"}).status_code != 200, (caller, route)
        browser.post("/trade/BTC-PERP/orders/cancel-all/")
    assert desk.alice.get(f"orders/{named.order_id}/").json == order
    assert named.key_id in [key["key_id"] for key in desk.alice.get("api-keys/").json["results"]]


def test_it_lets_nobody_reach_the_admin_but_staff(desk: Desk, callers: dict[str, Caller]) -> None:
    for address in ("/admin/", "/admin/trading/order/", "/admin/markets/market/", "/admin/accounts/user/"):
        for caller in ("anonymous", "owner", "trade_key"):
            assert callers[caller].get(address).status == 302, (caller, address)
    assert callers["staff"].get("/admin/").status == 200
    assert callers["staff"].get("/admin/trading/order/").status == 403  # staff sees what its permissions name


def test_it_asks_people_for_a_csrf_token(desk: Desk) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(desk.alice.user)
    answer = browser.post("/api/v1/orders/", data="{}", content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "CSRF_FAILED")


@pytest.mark.parametrize("path", ["orders/", "orders/preview/", "orders/batch/", "accounts/", "api-keys/", "margin/preview/"])
def test_it_refuses_what_is_nested_too_deeply_from_a_browser_with_a_token(desk: Desk, path: str) -> None:
    """The token's check comes first, and must not read the body as JSON by itself."""
    browser = Client(enforce_csrf_checks=True, raise_request_exception=False)
    browser.force_login(desk.alice.user)
    token = "t" * 32
    browser.cookies["csrftoken"] = token
    for body, code in ((b'{"a":' + b"[" * 5_000 + b"]" * 5_000 + b"}", "UNKNOWN_FIELD"), (b"{", "INVALID_JSON")):
        answer = browser.post(f"/api/v1/{path}", data=body, content_type="application/json", headers={"X-CSRFToken": token})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_it_stops_who_was_deactivated(desk: Desk, callers: dict[str, Caller]) -> None:
    from accounts import api_auth

    assert callers["trade_key"].get("account/").status == 200
    User.objects.filter(pk=desk.alice.user.pk).update(is_active=False)
    api_auth.forget()
    assert desk.alice.get("account/").status == 401
    assert callers["trade_key"].get("account/").status == 401
