"""Recoveries: accounts below zero, on record while the operator is silent, and paid by the insurance fund until they are whole."""

from collections.abc import Iterable, Mapping
from typing import Any

from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID

from chain.keepers.accounts import User
from chain.keepers.actions import Action
from chain.keepers.health import deficit_atoms
from chain.keepers.keeper import Keeper
from chain.keepers.sight import Sight

JOB = "liquidation"
SYSTEM = Pubkey.default()
DAY_S = 86_400


def look(keeper: Keeper, sight: Sight, fund: Any) -> list[Action]:
    records = {one.user: one for _, one in sight.all("liquidation", "Recovery")}
    return due(keeper, sight, sight.users, records, fund)


def due(keeper: Keeper, sight: Sight, users: Mapping[Pubkey, User], records: Mapping[Pubkey, Any], fund: Any) -> list[Action]:
    """Live, the engine's own insurance covers losses; after a freeze one haircut for all does."""
    known = [(users[key], one) for key, one in records.items() if key in users]
    closed = [_close(keeper, user, one) for user, one in known if sight.is_frozen or not _owes(user, sight)]
    if sight.phase != "Fallback":
        return closed
    paid = [_recover(keeper, users[key], fund) for key in _payable(users, records, fund, sight)]
    opened = [_open(keeper, user) for user in users.values() if user.key not in records and _owes(user, sight)]
    return closed + paid + opened


def _owes(user: User, sight: Sight) -> bool:
    return not sight.is_custodied(user) and deficit_atoms(user) > 0


def _payable(users: Mapping[Pubkey, User], records: Mapping[Pubkey, Any], fund: Any, sight: Sight) -> Iterable[Pubkey]:
    """Return whose records have waited long enough, as far as the fund and its day's bound go."""
    rules, left = fund.parameters, payable_atoms(fund, sight.now_s)
    for key, record in records.items():
        room = min(rules.event_atoms, record.first_atoms) - record.paid_atoms
        if left > 0 and room > 0 and key in users and _owes(users[key], sight) and sight.now_s >= record.opened_at + rules.recovery_delay_s:
            left -= min(left, room, deficit_atoms(users[key]))
            yield key


def payable_atoms(fund: Any, now_s: int) -> int:
    """Return what the day and the fund allow to pay."""
    used = 0 if now_s - fund.day_started_at >= DAY_S else fund.day_used_atoms
    return int(max(0, min(fund.parameters.day_atoms - used, fund.assets_atoms)))


def _open(keeper: Keeper, user: User) -> Action:
    made = {"opener": keeper.key, "vault": keeper.programs.fund_vault, "system_program": SYSTEM}
    return _action(keeper, user, f"account {user.key} below zero", "open_recovery", made, another="Taken")


def _recover(keeper: Keeper, user: User, fund: Any) -> Action:
    listed = keeper.programs.asset(fund.mint)
    made = {
        "vault": keeper.programs.fund_vault,
        "asset": listed["asset"],
        "dex_vault": listed["vault"],
        "perp_dex": keeper.programs.dex.id,
        "token_program": TOKEN_PROGRAM_ID,
    }
    return _action(keeper, user, f"account {user.key} recovered", "recover", made, another="OutsideBounds")


def _close(keeper: Keeper, user: User, record: Any) -> Action:
    made = {"vault": keeper.programs.fund_vault, "opener": record.opener}
    return _action(keeper, user, f"recovery of {user.key} closed", "close_recovery", made, another="StillBankrupt")


def _action(keeper: Keeper, user: User, title: str, name: str, named: dict[str, Pubkey], *, another: str) -> Action:
    programs = keeper.programs
    accounts = {"fund": programs.fund, "exchange": programs.exchange, "user": user.key, "recovery": programs.recovery(user.key)} | named
    made = programs.liquidation.instruction(name, {}, accounts)
    return Action(job=JOB, title=title, instructions=[made], by_another=frozenset({"NotBankrupt", another}))
