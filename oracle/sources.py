"""The sources that the exchange knows, and what each is worth."""

from typing import Final, NamedTuple


class Rank(NamedTuple):
    """What a source counts for: its weight in a median, and whether it carries a market when no other source is fresh.

    Weight 0 is shown beside the others and never counts.
    """

    weight: int
    primary: bool


# A median never gives one of three or more sources half of the weight, whatever stands here.
RANKS: Final[dict[str, Rank]] = {
    "pyth": Rank(2, True),
    "pyth_solana": Rank(2, True),
    "coingecko": Rank(1, False),  # some tens of seconds old: a second opinion, never enough alone
    "pyth_legacy": Rank(0, False),  # the layout that Pythnet still serves, unverified
    "simulation": Rank(1, True),
    "simulation_2": Rank(1, True),
    "simulation_3": Rank(1, True),
    "replay": Rank(1, True),
}
SIMULATED: Final = frozenset({"simulation", "simulation_2", "simulation_3"})
REPLAYED: Final = frozenset({"replay"})
