"""The markets page as the server draws it: complete, sorted, filtered and starred without a script."""

import re

from markets.listing import Order, choice_of, favourites_of, order_of
from tests.support.api import Desk, desk, forget_caches
from tests.support.engine import engine_process, engine_processes

__all__ = ["desk", "engine_process", "engine_processes"]


def html(desk: Desk, query: str = "", *, favourites: str = "") -> str:
    if favourites:
        desk.anonymous.client.cookies["qd_favourites"] = favourites
    answer = desk.anonymous.get(f"/markets/{query}")
    assert answer.status == 200
    return answer.content.decode()


def shown(page: str) -> list[str]:
    return [name for hidden, name in re.findall(r'<tr( hidden)? data-market="([^"]+)"', page) if not hidden]


def trade(desk: Desk, market: str, price: str, size: str) -> None:
    order = {"market": market, "type": "limit", "price": price, "size": size}
    assert desk.bob.post("orders/", order | {"side": "sell"}).status == 201
    assert desk.alice.post("orders/", order | {"side": "buy"}).json["status"] == "filled"


def test_it_shows_every_market_with_its_day(desk: Desk) -> None:
    trade(desk, "BTC-PERP", "60000.0", "0.0100")
    trade(desk, "BTC-PERP", "60600.0", "0.0100")
    desk.project()
    forget_caches()
    page = html(desk)
    row = page.partition('data-market="BTC-PERP"')[2].partition("</tr>")[0]
    for text in ("60,600.0", "+1.00%", "$1.2K", "150×", "<polyline", "Simulated", 'href="/trade/BTC-PERP/"'):
        assert text in row, text
    assert shown(page)[0] == "BTC-PERP", "what trades most comes first"
    assert "style=" not in page


def test_it_sorts_as_the_address_says(desk: Desk) -> None:
    rising = shown(html(desk, "?sort=last&dir=asc"))
    assert shown(html(desk, "?sort=last&dir=desc")) == rising[::-1]
    assert shown(html(desk, "?sort=market")) == sorted(rising)
    assert 'aria-sort="ascending"' in html(desk, "?sort=funding&dir=asc")
    assert shown(html(desk, "?sort=nonsense&dir=up")) == shown(html(desk))


def test_it_filters_by_words_and_favourites(desk: Desk) -> None:
    assert shown(html(desk, "?q=bTc")) == ["BTC-PERP"]
    assert "No market fits" in html(desk, "?q=%22%3Cb%3E")
    assert "No favourites yet" in html(desk, "?show=favourites")
    page = html(desk, "?show=favourites", favourites="SOL-PERP.GONE-PERP")
    assert shown(page) == ["SOL-PERP"]
    assert page.count('aria-pressed="true"') == 2, "the chip and the star"


def test_it_comes_up_without_an_engine(desk: Desk) -> None:
    desk.engine.kill()
    forget_caches()
    assert "No market can be shown just now" in html(desk)


def test_it_turns_a_column_over_when_it_is_chosen_again() -> None:
    order = order_of({"sort": "change"})
    assert (order, order.other("change"), order.other("volume"), order.other("market")) == (
        Order(sort="change", falling=True), "asc", "desc", "asc",
    )  # fmt: skip
    assert order_of({"sort": "market"}).falling is False
    assert favourites_of({"qd_favourites": ".BTC-PERP..SOL-PERP"}) == {"BTC-PERP", "SOL-PERP"}
    assert len(choice_of({"q": "x" * 500}).query) == 40
