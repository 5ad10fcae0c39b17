"""Funding: the program takes it wholly from batches, hour by hour, so there is nothing to send; the job tells how far it has come."""

import structlog

from chain.keepers.actions import Action
from chain.keepers.keeper import Keeper
from chain.keepers.sight import Sight

HOUR_S = 3_600
log = structlog.get_logger("keeper")


def look(_keeper: Keeper, sight: Sight) -> list[Action]:
    hour = sight.now_s // HOUR_S
    for market_id, paid in hours(sight).items():
        log.info("funding", market_id=market_id, paid_hour=paid, behind_hours=hour - paid if paid else None)
    return []


def hours(sight: Sight) -> dict[int, int]:
    """Return the last hour since 1970 whose funding a batch has paid, by market; 0 before the first."""
    return {market_id: market.funding_hour for market_id, market in sight.markets.items()}
