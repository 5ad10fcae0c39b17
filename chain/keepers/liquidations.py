"""Liquidations while the operator is silent: proofs that accounts are below maintenance, and steps that take their positions over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from chain.keepers.accounts import User
from chain.keepers.actions import Action
from chain.keepers.health import healths, shortage
from chain.keepers.keeper import Keeper
from chain.keepers.oracle import observations
from chain.keepers.sight import Sight
from chain.keepers.taking import Step, after, steps
from markets.units import PPM

JOB = "liquidation"
SYSTEM = Pubkey.default()
# Healed, taken further, or ended by somebody else.
MOVED_ON = frozenset({"AboveFraction", "BadChanges", "NotLiquidatable", "NotShort", "StillShort", "WrongLiquidation"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What the liquidation program has on record: by account its history, and its last liquidation."""

    parameters: Any
    histories: Mapping[Pubkey, Any]
    liquidations: Mapping[Pubkey, Any]

    def is_open(self, user: Pubkey, slot: int) -> bool:
        history = self.histories.get(user)
        return bool(history is not None and history.open and slot - history.begun_slot <= self.parameters.open_slots)


def look(keeper: Keeper, sight: Sight, parameters: Any) -> list[Action]:
    programs = keeper.programs
    histories = {one.user: one for _, one in sight.all("liquidation", "History")}
    last = {programs.liquidation_of(user, one.liquidations): user for user, one in histories.items() if one.open}
    found = sight.some("liquidation", "Liquidation", list(last))
    liquidations = {last[key]: one for key, one in found.items()}
    return due(keeper, sight, sight.users, Records(parameters=parameters, histories=histories, liquidations=liquidations))


def due(keeper: Keeper, sight: Sight, users: Mapping[Pubkey, User], records: Records) -> list[Action]:
    known = [(users[key], one) for key, one in records.liquidations.items() if key in users]
    actions = [_end(keeper, sight, user, one) for user, one in known if _is_over(user, one, sight)]
    if not sight.is_fallback:
        return actions
    short = _short(users, sight)
    begun = [_begin(keeper, sight, user, records) for user in short if not records.is_open(user.key, sight.slot)]
    return actions + begun + _steps(keeper, sight, [user for user in short if records.is_open(user.key, sight.slot)], records)


def _steps(keeper: Keeper, sight: Sight, short: Sequence[User], records: Records) -> list[Action]:
    """Return what the keeper's own account can take over, each after what it took before."""
    actions: list[Action] = []
    liquidator = sight.users.get(keeper.account)
    if liquidator is None:
        return actions
    for user in short:
        if user.key != keeper.account and user.key in records.liquidations:
            found = records.liquidations[user.key]
            for one in list(steps(user, liquidator, sight, liquidation=found, parameters=records.parameters)):
                market_ids = sorted({*user.market_ids, *liquidator.market_ids, one.market.market_id})
                actions.append(_step(keeper, sight, user, one, number=found.number, market_ids=market_ids))
                _, liquidator = after(user, liquidator, one)
    return actions


def _short(users: Mapping[Pubkey, User], sight: Sight) -> list[User]:
    """Return who is below maintenance by the chain's own prices, whose equity covers least of it first."""
    found = [(user, shortage(user, sight.observed, sight.now_s)) for user in users.values() if _is_latest(user, sight)]
    covered = {user.key: health.equity * PPM // max(1, health.maintenance) for user, health in found if health is not None}
    return sorted((users[key] for key in covered), key=lambda user: (covered[user.key], bytes(user.key)))


def _is_latest(user: User, sight: Sight) -> bool:
    """Whether the feeds of all its markets may decide a liquidation now."""
    markets = [sight.markets.get(market_id) for market_id in user.market_ids]
    return all(market is not None and market.feed.state_at(sight.now_s) == "Valid" for market in markets)


def _is_over(user: User, liquidation: Any, sight: Sight) -> bool:
    """Whether the account has its margin again, for sure, and the record still says otherwise."""
    if liquidation.ended or not _is_latest(user, sight):
        return False
    found = healths(user, sight.observed, sight.now_s)
    return found is not None and shortage(user, sight.observed, sight.now_s) is None


def _begin(keeper: Keeper, sight: Sight, user: User, records: Records) -> Action:
    history = records.histories.get(user.key)
    number = 1 + (0 if history is None else history.liquidations)
    named = _record(keeper, user, number) | {"opener": keeper.key, "fund": keeper.programs.fund, "system_program": SYSTEM}
    made = _judged(keeper, sight, user.market_ids, "begin_liquidation", named)
    return Action(job=JOB, title=f"liquidation {number} of {user.key} begun", instructions=made, by_another=MOVED_ON)


def _step(keeper: Keeper, sight: Sight, user: User, step: Step, *, number: int, market_ids: Sequence[int]) -> Action:
    named = _record(keeper, user, number) | {
        "owner": keeper.key,
        "fund": keeper.programs.fund,
        "market": step.market.key,
        "liquidator": keeper.account,
        "perp_dex": keeper.programs.dex.id,
    }
    made = _judged(keeper, sight, market_ids, "step_liquidation", named, lots=step.lots)
    title = f"{step.lots} lots of {user.key} in market {step.market.market_id} taken over"
    return Action(job=JOB, title=title, instructions=made, by_another=MOVED_ON)


def _end(keeper: Keeper, sight: Sight, user: User, liquidation: Any) -> Action:
    made = _judged(keeper, sight, user.market_ids, "end_liquidation", _record(keeper, user, liquidation.number))
    return Action(job=JOB, title=f"liquidation {liquidation.number} of {user.key} ended", instructions=made, by_another=MOVED_ON)


def _record(keeper: Keeper, user: User, number: int) -> dict[str, Pubkey]:
    programs = keeper.programs
    return {
        "exchange": programs.exchange,
        "user": user.key,
        "history": programs.history(user.key),
        "liquidation": programs.liquidation_of(user.key, number),
    }


def _judged(
    keeper: Keeper, sight: Sight, market_ids: Sequence[int], name: str, accounts: dict[str, Pubkey], **arguments: int
) -> list[Instruction]:
    """Return the instruction with the markets that judge it, and the feed of each, after what brings those markets up to date."""
    keys = [sight.markets[one].key for one in market_ids] + [sight.markets[one].feed.key for one in market_ids]
    more = [AccountMeta(key, is_signer=False, is_writable=False) for key in keys]
    before = observations(keeper, sight.markets, market_ids, now_s=sight.now_s)
    return [*before, keeper.programs.liquidation.instruction(name, arguments, accounts, more)]
