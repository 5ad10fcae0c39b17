"""Staff's pages over a desk that has traded: all of them open, link on, fit the strict policy and change nothing."""

import html
import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import ApiKey, LedgerTransfer, User
from accounts.selectors import default_account
from markets import selectors
from markets.models import Market
from tests.support.api import Desk, desk
from tests.support.engine import engine_process, engine_processes
from trading.models import Fill, Journal, Order

__all__ = ["desk", "engine_process", "engine_processes"]

LISTED = (
    "accounts.account", "accounts.apikey", "accounts.ledgertransfer", "accounts.user", "markets.market", "markets.trade",
    "oracle.oracleprice", "risk.liquidation", "risk.dispute", "risk.fundmovement", "risk.deleveraging", "risk.riskalert",
    "risk.risksnapshot", "accounts.approval",
    "trading.fill", "trading.journal", "trading.order", "trading.snapshot",
)  # fmt: skip


class Strictness(HTMLParser):
    """Collects what a policy without inline code and styles would block."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        inline_script = tag == "script" and "src" not in names and names.get("type") != "application/json"
        handlers = [name for name in names if name.startswith("on")]
        if tag == "style" or "style" in names or inline_script or handlers:
            self.blocked.append(f"{tag} {names}")


@pytest.fixture
def staff(desk: Desk) -> Client:
    """A superuser's browser, after Alice and Bob have traded and every table is current."""
    sell = {"market": "BTC-PERP", "side": "sell", "type": "limit", "size": "0.0100", "price": "60000.0", "client_order_id": "maker-1"}
    assert desk.bob.post("orders/", sell).status == 201
    buy = {"market": "BTC-PERP", "side": "buy", "type": "market", "size": "0.0040"}
    assert desk.alice.post("orders/", buy).status == 201
    desk.program_of(desk.alice)
    desk.project()
    client = Client()
    client.force_login(User.objects.create_superuser("sam", password="a long enough passphrase 9"))
    return client


def opened(client: Client, address: str) -> str:
    response = client.get(address)
    text: str = response.content.decode()
    assert response.status_code == 200, (address, response.status_code)
    page = Strictness()
    page.feed(text)
    assert not page.blocked, (address, page.blocked)
    return text


def test_it_lists_every_table_and_opens_every_page_that_it_links_to(staff: Client) -> None:
    opened(staff, reverse("admin:index"))
    seen: set[str] = set()
    for model in LISTED:
        page = opened(staff, reverse(f"admin:{model.replace('.', '_')}_changelist"))
        seen |= set(re.findall(r'href="(/admin/[^"?]+/change/)"', page))
    kinds = {address.split("/")[3] for address in seen}
    assert kinds >= {"order", "fill", "account", "market", "trade", "journal", "ledgertransfer", "apikey"}
    for address in sorted(seen):
        opened(staff, address)


def test_it_registers_every_model_that_can_be_and_writes_none_that_the_projector_writes() -> None:
    ours = {model for app in ("accounts", "markets", "oracle", "risk", "trading") for model in apps.get_app_config(app).get_models()}
    registered = {model for model in ours if admin.site.is_registered(model)}
    assert {model._meta.label_lower for model in registered} == set(LISTED)


def test_it_searches_exactly_and_filters(staff: Client, desk: Desk) -> None:
    order = Order.objects.get(client_order_id="maker-1")
    alice = default_account(desk.alice.user)
    orders = reverse("admin:trading_order_changelist")
    assert "1 order" in opened(staff, f"{orders}?q={order.id}")
    assert "1 order" in opened(staff, f"{orders}?q={order.account_id}+maker-1")
    for nothing in ("nobody", "9" * 40, "٣", "-1", "1.5", "maker-1+nobody"):
        assert "0 orders" in opened(staff, f"{orders}?q={nothing}"), nothing
    assert "1 order" in opened(staff, f"{orders}?status=open&period=hour&market__id__exact={order.market_id}")
    assert "1 fill" in opened(staff, f"{reverse('admin:trading_fill_changelist')}?account__id__exact={alice.id}")
    assert "2 fills" in opened(staff, f"{reverse('admin:trading_fill_changelist')}?q={Fill.objects.first().trade_id}")  # type: ignore[union-attr]


def test_it_shows_a_markets_queue_of_deleveraging(staff: Client, desk: Desk) -> None:
    """Marked a tick above their price, Alice's long alone has a profit."""
    market = Market.objects.get(symbol="BTC-PERP")
    Market.objects.filter(id=market.id).update(mark_ticks=600_001)
    page = opened(staff, reverse("admin:markets_market_change", args=[market.id]))
    alice = default_account(desk.alice.user).id
    assert f'<td>Long</td><td><a href="/admin/accounts/account/{alice}/change/">{alice}</a></td><td>0.0040</td>' in page
    assert "<td>100.00%</td>" in page
    assert "<td>Short</td>" not in page


def test_it_shows_an_accounts_balances_and_positions(staff: Client, desk: Desk) -> None:
    page = opened(staff, reverse("admin:accounts_account_change", args=[default_account(desk.alice.user).id]))
    assert "0.0040" in page
    assert "BTC-PERP" in page
    assert re.search(r"<td>USDC</td><td>99\d\d\.\d{6}</td>", page), page


def test_it_decodes_the_journal_and_checks_its_hash(staff: Client) -> None:
    row = Journal.objects.get(seq=LedgerTransfer.objects.exclude(trade_id=None).latest("id").id >> 20)
    page = opened(staff, reverse("admin:trading_journal_change", args=[row.seq]))
    assert "PlaceOrder" in page
    assert "OrderFilled" in page
    assert "icon-yes" in page


def test_it_never_shows_a_secret(staff: Client) -> None:
    key = ApiKey.objects.get()
    page = opened(staff, reverse("admin:accounts_apikey_change", args=[quote(key.key_id)]))  # "_40" would be read as "@"
    assert key.key_id in page
    assert "secret" not in page.lower()


@pytest.mark.parametrize("model", [model for model in LISTED if model not in {"accounts.user", "risk.dispute"}])
def test_it_offers_no_way_to_add_change_or_delete(model: str) -> None:
    class Request:
        user = User(is_superuser=True, is_staff=True)

    page = admin.site.get_model_admin(apps.get_model(model))
    permissions = page.get_model_perms(Request())  # type: ignore[arg-type]
    assert {name for name, allowed in permissions.items() if allowed} == {"view"}


def test_it_pauses_a_market_through_the_engine_with_a_reason(staff: Client, desk: Desk) -> None:
    market = Market.objects.get(symbol="BTC-PERP")
    markets = reverse("admin:markets_market_changelist")

    def act(action: str, reason: str) -> str:
        form = {"action": action, "_selected_action": [market.id], "reason": reason}
        return staff.post(markets, form, follow=True).content.decode()

    assert "reason has 1 to 200" in act("cancel_only", "  ")
    assert "is set to cancel_only" in act("cancel_only", "the index jumped")
    assert selectors.market_view("BTC-PERP").status == "cancel_only"
    refused = desk.alice.post("orders/", {"market": "BTC-PERP", "side": "buy", "type": "limit", "size": "0.0100", "price": "59000.0"})
    assert (refused.status, refused.error["code"]) == (422, "MARKET_CANCEL_ONLY")
    assert "is set to normal" in act("resume", "checked")
    assert selectors.market_view("BTC-PERP").status == "normal"
    desk.project()
    market.refresh_from_db()
    assert (market.status, market.status_reason) == ("normal", "checked")


def test_it_creates_changes_and_delists_a_market(staff: Client, desk: Desk) -> None:
    create = reverse("admin:markets_market_create")
    offered = opened(staff, create)
    start = html.unescape(offered.partition("<textarea")[2].partition(">")[2].partition("</textarea>")[0])
    wanted = msgspec.json.decode(start) | {"symbol": "PEPE-PERP", "base_asset": "PEPE"}

    def send(address: str, parameters: Any) -> str:
        text = parameters if isinstance(parameters, str) else msgspec.json.encode(parameters).decode()
        return html.unescape(staff.post(address, {"parameters": text}, follow=True).content.decode())

    for spoilt, words in (
        ("{", "not valid JSON"),
        (wanted | {"tick_e8": "1"}, "tick_e8"),
        (wanted | {"bogus": 1}, "There is no parameter bogus"),
        (wanted | {"tick_e8": 0}, "parameters are not possible"),
        (wanted | {"symbol": "BTC-PERP"}, "exists already"),
    ):
        assert words in send(create, spoilt), words
    assert "PEPE-PERP has its parameters." in send(create, wanted)
    desk.project()
    market = Market.objects.get(symbol="PEPE-PERP")
    update = reverse("admin:markets_market_update", args=[market.id])
    assert "market_id must stay" in send(update, wanted | {"market_id": 1})
    assert "PEPE-PERP has its parameters." in send(update, wanted | {"taker_fee_ppm": 777})
    assert selectors.market_view("PEPE-PERP").parameters.taker_fee_ppm == 777
    form = {"action": "delist", "_selected_action": [market.id], "reason": "no trades"}
    staff.post(reverse("admin:markets_market_changelist"), form, follow=True)
    assert selectors.market_view("PEPE-PERP").status == "delisted"


def test_it_lets_no_staff_without_the_permission_touch_a_market(staff: Client, desk: Desk) -> None:
    viewer = User.objects.create_user("val", password="a long enough passphrase 8", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_market"))
    browser = Client()
    browser.force_login(viewer)
    assert "Create a market" not in opened(browser, reverse("admin:markets_market_changelist"))
    assert browser.get(reverse("admin:markets_market_create")).status_code == 403
    form = {"action": "halt", "_selected_action": [1], "reason": "because"}
    browser.post(reverse("admin:markets_market_changelist"), form)
    assert selectors.market_view("BTC-PERP").status == "normal"


def test_it_revokes_a_key(staff: Client, desk: Desk) -> None:
    bot = desk.program_of(desk.bob)
    assert bot.get("account/").status == 200
    form = {"action": "revoke", "_selected_action": [bot.key_id]}
    assert "is revoked" in staff.post(reverse("admin:accounts_apikey_changelist"), form, follow=True).content.decode()
    assert bot.get("account/").status == 401
