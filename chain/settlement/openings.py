"""Whether a market may open here: what is traded in one that the chain does not know, or has no price of, cannot be settled."""

from chain.deployment import ChainOff, deployment
from chain.settlement.reading import read_markets
from trading.services.markets import obstacles


def register() -> None:
    obstacles.append(obstacle)


def obstacle(market_id: int) -> str:
    """Return what is missing on chain, or nothing; nothing where there is no chain."""
    try:
        chain = deployment()
    except ChainOff:
        return ""
    with chain.client() as client:
        market = read_markets(chain, client, [market_id], commitment="confirmed").get(market_id)
    if market is None:
        return "The market is not on chain yet: run chain_setup."
    return "" if market.low_e8 else "The market has no price on chain yet."
