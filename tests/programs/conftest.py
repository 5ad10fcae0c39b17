import pytest

from tests.programs.support.exchange import USDC, Exchange


@pytest.fixture
def exchange() -> Exchange:
    """An exchange with a market at 100,000 dollars; Alice, Bob and Charlie have accounts, Alice and Bob trading keys."""
    exchange = Exchange()
    exchange.begin()
    return exchange


@pytest.fixture
def funded(exchange: Exchange) -> Exchange:
    """Alice and Bob have 20,000 USDC each."""
    for owner in (exchange.alice, exchange.bob):
        exchange.deposit(owner, 20_000 * USDC)
    return exchange
