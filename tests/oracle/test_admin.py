"""Staff look at prices, and stop the use of one."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from oracle.selectors import index
from tests.support.api import PASSWORD, Desk, desk
from tests.support.engine import engine_process, engine_processes

__all__ = ["desk", "engine_process", "engine_processes"]

ADDRESS = "/admin/oracle/oracleprice/indices/"


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("sam", password=PASSWORD, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_it_shows_every_price_and_halts_and_releases_one(desk: Desk) -> None:
    client = staff("view_oracleprice", "change_market")
    assert "Indices" in client.get("/admin/oracle/oracleprice/").content.decode()
    page = client.get(ADDRESS).content.decode()
    assert "BTC-PERP" in page and "Halt BTC-PERP" in page and "simulation_2" in page
    page = client.post(ADDRESS, {"symbol": "BTC-PERP", "action": "halt", "reason": "wrong feed"}, follow=True).content.decode()
    assert "BTC-PERP is halted." in page and "halted: wrong feed" in page
    assert (index("BTC-PERP").view.state, index("BTC-PERP").view.halt_reason) == ("halted", "wrong feed")
    page = client.post(ADDRESS, {"symbol": "BTC-PERP", "action": "release"}, follow=True).content.decode()
    assert "BTC-PERP is released." in page
    assert index("BTC-PERP").view.halt_reason == ""


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"symbol": "BTC-PERP", "action": "halt", "reason": " "}, "reason has 1 to 200"),
        ({"symbol": "BTC-PERP", "action": "halt", "reason": "x" * 201}, "reason has 1 to 200"),
        ({"symbol": "NONE", "action": "halt", "reason": "x"}, "There is no price of that name"),
        ({"symbol": "BTC-PERP", "action": "release"}, "BTC-PERP:"),
        ({}, "There is no price of that name"),
    ],
)
def test_it_says_why_it_does_not(desk: Desk, form: dict[str, str], said: str) -> None:
    page = staff("view_oracleprice", "change_market").post(ADDRESS, form, follow=True).content.decode()
    assert said in page
    assert index("BTC-PERP").view.state == "valid"


def test_it_lets_nobody_halt_who_may_only_look(desk: Desk) -> None:
    client = staff("view_oracleprice")
    page = client.get(ADDRESS)
    assert (page.status_code, "Halt" in page.content.decode()) == (200, False)
    assert client.post(ADDRESS, {"symbol": "BTC-PERP", "action": "halt", "reason": "x"}).status_code == 403
    assert Client().get(ADDRESS).status_code == 302


def test_it_shows_nothing_to_staff_without_the_permission(desk: Desk) -> None:
    assert staff().get(ADDRESS).status_code == 403
