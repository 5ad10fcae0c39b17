"""Margin calls on record: who is short of initial margin is called, who has it again is let off. They hold no money and decide nothing."""

from collections.abc import Mapping
from typing import Any

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from chain.keepers.accounts import User
from chain.keepers.actions import Action
from chain.keepers.health import prices_are_sure, worst
from chain.keepers.keeper import Keeper
from chain.keepers.oracle import observations
from chain.keepers.sight import Sight

JOB = "liquidation"
SYSTEM = Pubkey.default()


def look(keeper: Keeper, sight: Sight) -> list[Action]:
    calls = {call.user: call for _, call in sight.all("risk", "MarginCall")}
    return due(keeper, sight, sight.users, calls)


def due(keeper: Keeper, sight: Sight, users: Mapping[Pubkey, User], calls: Mapping[Pubkey, Any]) -> list[Action]:
    """Accounts that the operator changes without a signature have their margin, and their calls, in the engine alone."""
    ended = [_end(keeper, sight, users[key], call) for key, call in calls.items() if key in users and _is_sound(users[key], sight)]
    short = [user for user in users.values() if user.key not in calls and not sight.is_custodied(user) and _is_short(user, sight)]
    return ended + [_call(keeper, sight, user) for user in short]


def _is_short(user: User, sight: Sight) -> bool:
    found = worst(user, sight.observed, sight.now_s)
    return found is not None and found.free < 0 and prices_are_sure(user, sight.observed)


def _is_sound(user: User, sight: Sight) -> bool:
    found = worst(user, sight.observed, sight.now_s)
    return found is not None and found.free >= 0


def _call(keeper: Keeper, sight: Sight, user: User) -> Action:
    named = {"caller": keeper.key, "system_program": SYSTEM}
    made = _risk(keeper, sight, user, "call_margin", named)
    return Action(job=JOB, title=f"account {user.key} called for margin", instructions=made, by_another=frozenset({"HasMargin"}))


def _end(keeper: Keeper, sight: Sight, user: User, call: Any) -> Action:
    made = _risk(keeper, sight, user, "end_margin_call", {"caller": call.caller})
    return Action(job=JOB, title=f"margin call of {user.key} ended", instructions=made, by_another=frozenset({"ShortOfMargin"}))


def _risk(keeper: Keeper, sight: Sight, user: User, name: str, named: dict[str, Pubkey]) -> list[Instruction]:
    programs = keeper.programs
    accounts = {"exchange": programs.exchange, "user": user.key, "margin_call": programs.margin_call(user.key)} | named
    more = [AccountMeta(sight.markets[one].key, is_signer=False, is_writable=False) for one in user.market_ids]
    before = observations(keeper, sight.markets, user.market_ids, now_s=sight.now_s)
    return [*before, programs.risk.instruction(name, {}, accounts, more)]
