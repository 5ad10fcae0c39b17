"""A keeper's passes: each job looks at the chain, sends what is due, and leaves the rest to the next pass."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn

import structlog

from chain.client import ChainClient
from chain.errors import ChainError
from chain.keepers import auctions, epochs, funding, liquidation, oracle
from chain.keepers.actions import Action, Result, Sender
from chain.keepers.keeper import Keeper
from chain.keepers.sight import Sight
from chain.keepers.tables import growth, lasting, own_table

Job = Callable[[Keeper, Sight], list[Action]]
JOBS: Final[Mapping[str, Job]] = {
    "oracle": oracle.look,
    "epochs": epochs.look,
    "liquidation": liquidation.look,
    "auctions": auctions.look,
    "funding": funding.look,
}
ACTING: Final = tuple(name for name in JOBS if name != "funding")  # which only tells
MOST_ACTIONS: Final = 32  # of a job in a pass: what comes after sees what came before
LONGEST_PAUSE_S: Final = 60.0
log = structlog.get_logger("keeper")


def keep_once(*, jobs: Sequence[str], keeper: Keeper, client: ChainClient, sender: Sender) -> tuple[list[Result], list[ChainError]]:
    """Make one pass. A job that cannot be done now holds up no other."""
    results: list[Result] = []
    errors: list[ChainError] = []
    sight: Sight | None = None
    for name in jobs:
        try:
            sight = sight or Sight(keeper.programs, client)
            done = sender.send(JOBS[name](keeper, sight)[:MOST_ACTIONS])
            results += done
            if any(result.outcome == "too large" for result in done):
                results += make_room(keeper, sight, sender)
            sight = None if done else sight  # what was sent may have changed anything
        except ChainError as error:
            log.warning("keeper_waits", job=name, code=error.code, error=error.message)
            errors.append(error)
    return results, errors


def make_room(keeper: Keeper, sight: Sight, sender: Sender) -> list[Result]:
    """Have a lookup table with what transactions name; those that did not fit are built with it in the next pass."""
    wanted, slot = lasting(sight), sight.client.point("finalized").slot
    table = own_table(sight.client, keeper.key)
    results = [result for action in growth(table, wanted, authority=keeper.key, slot=slot) for result in sender.send([action])]
    table = own_table(sight.client, keeper.key)
    sender.tables = [] if table is None else [table]
    return results


def keep(
    *,
    jobs: Sequence[str],
    keeper: Keeper,
    client: ChainClient,
    sender: Sender,
    every_s: float,
    before: Callable[[], object] = bool,
    pause: Callable[[float], None] = time.sleep,
) -> NoReturn:
    """Make passes until the process ends, ever more slowly while the node does not answer. `before` comes before each."""
    pause_s = every_s
    while True:
        before()
        _, errors = keep_once(jobs=jobs, keeper=keeper, client=client, sender=sender)
        pause_s = min(LONGEST_PAUSE_S, 2 * pause_s) if errors else every_s
        pause(pause_s)
