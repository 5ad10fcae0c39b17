"""The pages' forms without a browser: who may send them, what is answered, and what goes wrong in words."""

import json
import re

from django.test import Client

from accounts.models import User
from markets.commands import HaltIndex
from markets.gateway import gateway
from markets.queries import GetAccount
from markets.views import AccountView
from tests.support.engine import EngineProcesses
from tests.support.people import Person, alice, bob
from tests.support.projector import ProjectorProcess, projector_process

__all__ = ["alice", "bob", "projector_process"]

PAGE = "/trade/BTC-PERP/"
HTMX = {"HX-Request": "true"}
LIMIT = {"side": "buy", "type": "limit", "price": "59000", "size": "0.1", "client_order_id": "web-1"}


def browser(person: Person) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=person.username))
    return client


def account(person: Person) -> AccountView:
    view = gateway().query(GetAccount(account_id=person.account_id))
    assert view is not None
    return view


def test_it_names_the_sources_as_the_oracle_panel_does(alice: Person) -> None:
    page = browser(alice).get(PAGE).content.decode()
    assert ("Simulation 1" in page, "Simulation 2" in page, "imulation_2" in page) == (True, True, False)


def test_it_places_an_order_from_a_plain_form(alice: Person) -> None:
    response = browser(alice).post(f"{PAGE}orders/", LIMIT, follow=True)
    assert response.redirect_chain == [(PAGE, 302)]
    assert "Order placed. Buy 0.1000 BTC at 59,000.0" in response.content.decode()
    assert [order.price_ticks for order in account(alice).orders] == [590_000]


def test_it_answers_htmx_with_the_parts_that_changed(alice: Person) -> None:
    response = browser(alice).post(f"{PAGE}orders/", LIMIT, headers=HTMX)
    targets = re.findall(r'<hx-partial hx-target="([^"]+)"', response.content.decode())
    assert response.status_code == 200
    assert {"#toasts", "#orders-body", "#positions-body", "#account-summary", "#equity", "#ticket"} <= set(targets)
    assert "web-1" not in response.content.decode()


def test_it_places_one_order_for_a_form_that_is_sent_twice(alice: Person) -> None:
    client = browser(alice)
    for _ in range(2):
        assert client.post(f"{PAGE}orders/", LIMIT, headers=HTMX).status_code == 200
    assert len(account(alice).orders) == 1


WRONG = [
    ({"price": "60000.05"}, "price", "Price has at most 1 decimals: try 60000.1."),
    ({"price": ""}, "price", "Price is required"),
    ({"size": ""}, "size", "Enter a size."),
    ({"size": "0.00001"}, "size", "try 0.0001"),
    ({"size": "0.0001"}, "size", "The order is worth $5.90; the least is $10.00."),
    ({"size": "100"}, "size", "Not enough margin"),
    ({"price": "1000"}, "price", "Price must be between 54,000.0 and 66,000.0."),
    ({"price": "60001", "post_only": "1", "reduce_only": "1"}, "form", "no position"),
    ({"type": "stop_market", "trigger_price": "59000"}, "trigger_price", "This would trigger at once: the price is 60,000.0."),
    ({"client_order_id": "<b>"}, "form", "Client order id has 1 to"),
    ({"type": "market"}, "form", "The book has nothing inside the worst price"),
    ({"side": "up"}, "form", "Side does not have one of its values"),
]


def test_it_says_what_is_wrong_where_it_is_wrong(alice: Person) -> None:
    client = browser(alice)
    for values, field, words in WRONG:
        response = client.post(f"{PAGE}orders/", LIMIT | {"client_order_id": ""} | values, headers=HTMX)
        assert response.status_code == 422, values
        place = "ticket-form-error" if field == "form" else f"ticket-{field}-error"
        found = re.search(rf'<p class="[^"]*" id="{place}"[^>]*>(.*?)</p>', response.content.decode(), re.DOTALL)
        assert found is not None
        assert words in found[1], values
    assert account(alice).orders == ()


def test_it_takes_a_corrected_order_after_a_refusal(alice: Person) -> None:
    """The engine remembers the id of a refused order, so the ticket that comes back has another."""
    client = browser(alice)
    page = client.post(f"{PAGE}orders/", LIMIT | {"price": "1000"}, headers=HTMX).content.decode()
    found = re.search(r'name="client_order_id" value="([^"]+)"', page)
    assert found is not None
    assert client.post(f"{PAGE}orders/", LIMIT | {"client_order_id": found[1]}, headers=HTMX).status_code == 200
    assert len(account(alice).orders) == 1


def test_it_previews_an_order_and_leaves_an_unfinished_one_open(alice: Person) -> None:
    client = browser(alice)
    assert "$5,900.00" in client.post(f"{PAGE}preview/", LIMIT, headers=HTMX).content.decode()
    unfinished = client.post(f"{PAGE}preview/", LIMIT | {"size": ""}, headers=HTMX).content.decode()
    assert 'data-reason=""' in unfinished
    assert account(alice).orders == ()


def test_it_lets_nobody_touch_the_orders_of_another(alice: Person, bob: Person) -> None:
    browser(alice).post(f"{PAGE}orders/", LIMIT, headers=HTMX)
    order_id = account(alice).orders[0].order_id
    for path in (f"{PAGE}orders/{order_id}/cancel/", f"{PAGE}orders/{order_id}/amend/"):
        response = browser(bob).post(path, {"size": "0.2"}, headers=HTMX)
        assert response.status_code >= 400
        assert "no longer open" in response.content.decode()
    assert len(account(alice).orders) == 1


def test_it_sends_strangers_to_log_in(engine_process: EngineProcesses) -> None:
    client = Client()
    assert client.post(f"{PAGE}orders/", LIMIT).headers["Location"] == f"/accounts/login/?next={PAGE}"
    told = client.get(f"{PAGE}private/", headers=HTMX)
    assert (told.status_code, told.headers["HX-Redirect"]) == (204, f"/accounts/login/?next={PAGE}")


def test_it_refuses_forms_without_their_token(alice: Person) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(username="alice"))
    response = client.post(f"{PAGE}orders/", LIMIT)
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()


ADDRESSES = [
    ("/trade/NO-PERP/", 404),
    ("/trade/%00/", 404),
    ("/trade/NO-PERP/candles/", 404),
    (f"{PAGE}orders/0/amend/", 404),
    (f"{PAGE}orders/{10**30}/amend/", 404),
    (f"{PAGE}orders/{10**17}/amend/", 404),
    (f"{PAGE}history/?before=-1", 200),
    (f"{PAGE}funding/?before={10**17}", 200),
    (f"{PAGE}fills/?before=x", 200),
    (f"{PAGE}?tab=nonsense&view=nonsense", 200),
]


def test_it_answers_odd_addresses_without_failing(alice: Person, projector_process: ProjectorProcess) -> None:
    client = browser(alice)
    for path, status in ADDRESSES:
        assert client.get(path, headers=HTMX).status_code == status, path


def test_it_refuses_to_close_what_is_not_there(alice: Person) -> None:
    response = browser(alice).post(f"{PAGE}close/", {"side": "buy", "size": "1"}, headers=HTMX)
    assert response.status_code == 409
    assert "no open position" in response.content.decode()


def test_it_opens_and_closes_the_amend_dialog(alice: Person) -> None:
    client = browser(alice)
    client.post(f"{PAGE}orders/", LIMIT, headers=HTMX)
    path = f"{PAGE}orders/{account(alice).orders[0].order_id}/amend/"
    opened = client.get(path, headers=HTMX)
    assert json.loads(opened.headers["HX-Trigger"]) == {"dialog:open": {"id": "amend-dialog"}}
    amended = client.post(path, {"price": "59,100", "size": "0.2"}, headers=HTMX)
    assert json.loads(amended.headers["HX-Trigger"]) == {"dialog:close": {"id": "amend-dialog"}}
    assert [(order.price_ticks, order.size_lots) for order in account(alice).orders] == [(591_000, 2_000)]


def test_it_says_that_the_engine_is_away(alice: Person, engine_process: EngineProcesses) -> None:
    client = browser(alice)
    engine_process.current.stop()
    page = client.get(PAGE)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "2")
    assert "The exchange is coming back" in page.content.decode()
    response = client.post(f"{PAGE}orders/", LIMIT, headers=HTMX)
    assert response.status_code == 503
    assert client.get("/").status_code == 200


def test_it_says_why_the_price_is_halted(alice: Person) -> None:
    client = browser(alice)
    assert gateway().submit(HaltIndex(index_id=1, reason="Exchanges disagree", author="staff")).reject is None
    assert "The price is halted: Exchanges disagree. Orders can only be cancelled." in client.get(PAGE).content.decode()
    preview = client.post(f"{PAGE}preview/", LIMIT, headers=HTMX).content.decode()
    assert "The price is halted, so nothing trades." in preview
    assert "Try again soon" not in preview
    assert gateway().submit(HaltIndex(index_id=1, reason="", author="staff")).reject is None
    assert "Exchanges disagree" not in client.get(PAGE).content.decode()


def test_it_shows_equity_and_the_deposit_on_the_other_pages_too(alice: Person, engine_process: EngineProcesses) -> None:
    client = browser(alice)
    for address in ("/markets/", "/account/"):
        top = client.get(address).content.decode().partition("<main")[0]
        assert 'data-account="equity">$10,000.00<' in top, address
        assert 'data-open-dialog="deposit-dialog"' in top, address
        assert 'id="deposit-dialog"' in top, address
    assert "deposit-dialog" not in Client().get("/markets/").content.decode()
    engine_process.current.stop()
    assert "deposit-dialog" not in client.get("/account/").content.decode(), "it does without the figures"
