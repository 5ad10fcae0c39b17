"""What is around every page: the icon, the header's links, the admin's name."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_it_has_an_icon_where_browsers_look_for_one() -> None:
    answer = Client().get("/favicon.ico")
    assert (answer.status_code, "icon" in answer.headers["Location"]) == (302, True)


def test_it_calls_the_admin_by_the_exchanges_name() -> None:
    page = Client().get("/admin/login/").content.decode()
    assert "QuantDesk administration" in page
    assert "Django administration" not in page


def test_it_leads_strangers_to_every_public_page_on_a_phone_too() -> None:
    page = Client().get("/accounts/login/").content.decode()
    menu = page.partition('<details class="menu narrow-only">')[2].partition("</details>")[0]
    for link in ("/trade/", "/markets/", "/api/v1/docs/", "/accounts/login/"):
        assert f'href="{link}' in menu, link
