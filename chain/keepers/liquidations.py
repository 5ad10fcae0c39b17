"""Liquidations while the operator is silent: proofs that accounts are below maintenance, and steps that take their positions over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from chain.keepers.accounts import Market, User
from chain.keepers.actions import Action
from chain.keepers.health import healths, least_free, shortage, value
from chain.keepers.keeper import Keeper
from chain.keepers.oracle import observations
from chain.keepers.sight import Sight
from markets.units import PPM, ceil_div, charge

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What the liquidator takes over: lots as their owner holds them, for what he receives."""

    market: Market
    lots: int
    received_atoms: int


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
        if user.key != keeper.account:
            number = records.histories[user.key].liquidations
            for one in list(steps(user, liquidator, sight, records)):
                market_ids = sorted({*user.market_ids, *liquidator.market_ids, one.market.market_id})
                actions.append(_step(keeper, sight, user, one, number=number, market_ids=market_ids))
                _, liquidator = _after(user, liquidator, one)
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


def steps(user: User, liquidator: User, sight: Sight, records: Records) -> Iterator[Step]:
    """Return what can be taken now, of the largest position first, each after the one before."""
    liquidation = records.liquidations.get(user.key)
    if liquidation is None:
        return
    slots = sight.slot - liquidation.begun_slot
    markets = sight.observed
    sizes = sorted(user.holdings.lots.items(), key=lambda item: -abs(value(markets[item[0]], item[1], markets[item[0]].price_e8)))
    for market_id, held in sizes:
        market = markets[market_id]
        allowed = takeable(market, held, liquidation.positions, records.parameters, slots)
        step = largest(user, liquidator, sight, market=market, most=allowed if held > 0 else -allowed)
        if step is not None:
            yield step
            user, liquidator = _after(user, liquidator, step)


def takeable(market: Market, held: int, noted: list[Any], parameters: Any, slots: int) -> int:
    """Return how many lots of a position the program lets go now: its share of the time, or all where it is worth little."""
    record = next((one for one in noted if one.lots and one.market_id == market.market_id), None)
    if record is None:
        return 0
    if abs(value(market, held, market.price_e8)) <= parameters.small_atoms:
        return abs(held)
    rate_ppm = min(PPM, parameters.slot_ppm * slots + parameters.first_ppm)
    grown = ceil_div(rate_ppm * abs(record.lots), PPM)
    return int(max(0, min(abs(held), grown - record.taken_lots)))


def largest(user: User, liquidator: User, sight: Sight, *, market: Market, most: int) -> Step | None:
    """Return as much as the liquidator's own margin carries, up to `most`; None when it carries nothing."""
    sign = 1 if most > 0 else -1
    good, bad = 0, abs(most) + 1
    while bad - good > 1:
        lots = abs(most) if bad > abs(most) and good == 0 else (good + bad) // 2
        if _fits(user, liquidator, sight, _made(market, sign * lots)):
            good = lots
        else:
            bad = lots
    return _made(market, sign * good) if good else None


def _made(market: Market, lots: int) -> Step:
    worth = value(market, lots, market.price_e8)
    return Step(market=market, lots=lots, received_atoms=worth - charge(abs(worth), market.liquidation_fee_ppm))


def _fits(user: User, liquidator: User, sight: Sight, step: Step) -> bool:
    """The exchange's own two conditions: the liquidator has initial margin after it, and its owner is no shorter than before."""
    after, taker = _after(user, liquidator, step)
    free = least_free(taker, sight.observed, sight.now_s)
    was, is_now = healths(user, sight.observed, sight.now_s), healths(after, sight.observed, sight.now_s)
    return free is not None and free >= 0 and was is not None and is_now is not None and is_now[0].excess >= was[0].excess


def _after(user: User, liquidator: User, step: Step) -> tuple[User, User]:
    market_id = step.market.market_id
    taken = user.changed(quote=step.received_atoms, market_id=market_id, lots=-step.lots)
    return taken, liquidator.changed(quote=-step.received_atoms, market_id=market_id, lots=step.lots)


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
