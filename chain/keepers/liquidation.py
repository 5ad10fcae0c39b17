"""The liquidation job: margin calls always; while the operator is silent, liquidations and recoveries, too; and what disputes are due."""

from chain.keepers import disputes, liquidations, margin_calls, recoveries
from chain.keepers.actions import Action
from chain.keepers.keeper import Keeper
from chain.keepers.sight import Sight


def look(keeper: Keeper, sight: Sight) -> list[Action]:
    fund = sight.one("liquidation", "Fund", keeper.programs.fund)
    calls = [] if sight.is_frozen else margin_calls.look(keeper, sight)
    if fund is None:
        return calls
    steps = [] if sight.is_frozen else liquidations.look(keeper, sight, fund.parameters)
    return [*steps, *recoveries.look(keeper, sight, fund), *disputes.look(keeper, sight, fund), *calls]
