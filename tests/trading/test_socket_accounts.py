"""A person with several accounts on the socket: orders are for the active one, and each may be watched."""

import pytest

from accounts.models import Account, User
from accounts.sub_accounts import account_open, account_select
from tests.support.engine import engine_process, engine_processes
from tests.support.people import Person, alice, bob
from tests.support.sockets import browser, exchange
from tests.support.web import WebProcess, web_process, web_processes

__all__ = ["alice", "bob", "engine_process", "engine_processes", "web_process", "web_processes"]

ORDER = {"market": "BTC-PERP", "side": "buy", "type": "limit", "price": "58000.0", "size": "0.0100"}


@pytest.fixture
def hedge(alice: Person) -> Account:
    user = User.objects.get(username="alice")
    account = account_open(user=user, name="hedge")
    return account_select(user=user, account_id=account.id)


async def test_it_orders_for_the_active_account(web_process: WebProcess, alice: Person, bob: Person, hedge: Account) -> None:
    async with browser(web_process, alice) as page:
        refused = await exchange(page, {"op": "place", "id": 1, "order": ORDER})
        watched = await exchange(page, {"op": "subscribe", "id": 2, "channel": "account", "account_id": alice.account_id})
        foreign = await exchange(page, {"op": "subscribe", "id": 3, "channel": "account", "account_id": bob.account_id})

    assert refused["error"]["code"] == "INSUFFICIENT_MARGIN"  # the active account has no money, Alice's first one has
    assert watched["ok"]
    assert foreign["error"]["code"] == "ACCOUNT_NOT_FOUND"
