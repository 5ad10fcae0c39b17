"""Nothing is traded in a market before the chain can settle it: batches of all others would wait."""

import pytest

from markets.fields import InvalidField
from tests.chain.settlement.desks import SettlementDesk
from tests.engine.desk import MARKET
from trading.services.markets import market_status_set, obstacles

pytestmark = pytest.mark.django_db


def test_it_opens_no_market_that_is_not_on_chain(desk: SettlementDesk) -> None:
    with pytest.raises(InvalidField, match="not on chain yet"):
        market_status_set(market_id=77, status="normal", reason="try", author="staff")
    assert [obstacle(MARKET) for obstacle in obstacles] == [""]


def test_it_asks_for_nothing_where_there_is_no_chain() -> None:
    assert [obstacle(77) for obstacle in obstacles] == [""]
