"""The epochs' job: batches become final, a silent exchange falls back and freezes, and a frozen one pays everybody out."""

from collections.abc import Collection, Mapping
from typing import Any

from solders.pubkey import Pubkey

from chain.keepers import ending
from chain.keepers.accounts import User
from chain.keepers.actions import Action
from chain.keepers.keeper import Keeper
from chain.keepers.sight import Sight
from chain.settlement.epochs import is_due

JOB = "epochs"
TOO_SOON = frozenset({"TooEarly"})


def look(keeper: Keeper, sight: Sight) -> list[Action]:
    challenges = dict(sight.all("perp_dex", "Challenge")) if sight.is_frozen or _challenged(sight.exchange) else {}
    passed = due(keeper, sight, sight.users.values(), challenges)
    return [*passed, *(ending.look(keeper, sight) if sight.is_frozen else [])]


def due(keeper: Keeper, sight: Sight, users: Collection[User], challenges: Mapping[Pubkey, Any]) -> list[Action]:
    exchange, actions = sight.exchange, [] if sight.is_frozen else [_end_exit(keeper, user) for user in users if user.exit_can_end]
    if is_due(exchange, now_s=sight.now_s):
        actions.append(_action(keeper, "epoch turned", "turn_epoch", TOO_SOON | {"WrongBatch"}))
    overdue = next((user for user in users if _is_overdue(user, exchange, sight.now_s)), None)
    if keeper.falls_back and sight.phase == "Live" and (_is_silent(sight) or (overdue is not None and not exchange.batch_open)):
        named = {} if overdue is None else {"user": overdue.key}
        actions.append(_action(keeper, "fallback", "fall_back", TOO_SOON, **named))
    if keeper.freezes and sight.phase == "Fallback" and sight.slot - exchange.phase_slot >= exchange.parameters.freeze_slots:
        actions.append(_action(keeper, "freeze", "freeze_silent", TOO_SOON))
    return actions + [
        _action(keeper, f"challenge {key} unanswered", "freeze_unanswered", frozenset(), challenge=key, challenger=one.challenger)
        for key, one in challenges.items()
        if (keeper.freezes or sight.is_frozen) and _is_unanswered(one, sight)
    ]


def _end_exit(keeper: Keeper, user: User) -> Action:
    return _action(keeper, f"exit of {user.key} ended", "end_exit", TOO_SOON, user=user.key)


def _is_silent(sight: Sight) -> bool:
    exchange = sight.exchange
    return bool(sight.slot - exchange.last_batch_slot >= exchange.parameters.silent_slots)


def _is_overdue(user: User, exchange: Any, now_s: int) -> bool:
    """Whether the owner asked to leave, has something left, and was not paid in time."""
    return bool(user.exit_is_open and user.is_owed() and now_s - user.exit_requested_at >= exchange.parameters.exit_s)


def _is_unanswered(challenge: Any, sight: Sight) -> bool:
    return bool(not challenge.answered and sight.now_s > challenge.deadline and (challenge.proven or sight.is_frozen))


def _challenged(exchange: Any) -> bool:
    return bool(exchange.open_challenges or exchange.closing_challenges)


def _action(keeper: Keeper, title: str, name: str, by_another: frozenset[str], **accounts: Pubkey) -> Action:
    return Action(job=JOB, title=title, instructions=[keeper.dex(name, accounts)], by_another=by_another)
