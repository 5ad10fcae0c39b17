"""What may be done at a price, by the price's state. The engine asks this table and nothing else."""

from typing import Final, Literal

IndexState = Literal["valid", "single", "uncertain", "disputed", "stale", "halted"]
Action = Literal[
    "match", "post", "reduce", "cancel", "mark", "trigger", "fund", "liquidate", "withdraw", "value_collateral", "convert", "settle"
]

STATES: Final[tuple[IndexState, ...]] = ("valid", "single", "uncertain", "disputed", "stale", "halted")
# Each action with the states in which it is allowed:
#   match            an order that raises risk, or may come to by a fill
#   post             one that only rests at its own price, and never takes
#   reduce, cancel   what makes a position or an order smaller
#   mark             the mark, and with it unrealised profit, follows the index
#   trigger          stops and take-profits fire
#   fund             the premium over the index is sampled
#   liquidate        an account that the price values is liquidated
#   withdraw         money leaves an account that the price values
#   value_collateral the asset counts as collateral for new risk
#   convert          collateral is sold at the price
#   settle           a delisted market's positions are settled at it
ALLOWED: Final[dict[str, frozenset[str]]] = {
    "match": frozenset({"valid", "single"}),
    "post": frozenset({"valid", "single", "uncertain"}),
    "reduce": frozenset({"valid", "single", "uncertain", "disputed", "stale"}),
    "cancel": frozenset(STATES),
    "mark": frozenset({"valid", "single", "uncertain"}),
    "trigger": frozenset({"valid", "single"}),
    "fund": frozenset({"valid", "single"}),
    "liquidate": frozenset({"valid", "single"}),
    "withdraw": frozenset({"valid", "single"}),
    "value_collateral": frozenset({"valid", "single"}),
    "convert": frozenset({"valid", "single"}),
    "settle": frozenset({"valid", "single"}),
}
OPEN: Final = ALLOWED["match"]  # the states in which everything is allowed


def allows(state: IndexState, action: Action) -> bool:
    """Tell whether an action may be taken at a price in this state."""
    return state in ALLOWED[action]
