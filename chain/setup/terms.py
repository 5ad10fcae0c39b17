"""What an exchange's programs are initialised with. Most of it is set once: no signature changes it afterwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chain.setup.parameters import LOCALNET_EXCHANGE, LOCALNET_LIMITS
from markets.parameters import MarketParameters
from markets.units import PPM, QUOTE_ATOMS

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
SLOT_MS = 400
DAY_SLOTS = DAY_S * 1_000 // SLOT_MS
SOL = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`fund` lacks what follows from the markets, `votes` what follows from how many tokens there are."""

    exchange: dict[str, int]
    limits: dict[str, int]
    fund: dict[str, int]
    auctions: dict[str, int]
    votes: dict[str, int]


LOCALNET_TERMS = Terms(
    exchange=LOCALNET_EXCHANGE,
    limits=LOCALNET_LIMITS,
    fund={
        "cooldown_s": 10 * MINUTE_S,
        "claim_s": HOUR_S,
        "min_stake_atoms": QUOTE_ATOMS,
        "recovery_delay_s": MINUTE_S,
        "event_atoms": 1_000_000 * QUOTE_ATOMS,
        "day_atoms": 2_000_000 * QUOTE_ATOMS,
        "bond_atoms": 10 * QUOTE_ATOMS,
        "award_atoms": 10_000 * QUOTE_ATOMS,
        "dispute_s": 10 * MINUTE_S,
        "decision_s": 10 * MINUTE_S,
        "open_slots": 1_500,
    },
    auctions={
        "start_ppm": 2_500,
        "end_ppm": 5_000,
        "percent_slots": 100,
        "settle_slots": 150,
        "bond_lamports": SOL // 100,
        "min_join_atoms": QUOTE_ATOMS,
        "leave_s": MINUTE_S,
        "claim_s": HOUR_S,
    },
    votes={"voting_s": MINUTE_S, "loosening_s": MINUTE_S, "execution_s": DAY_S, "lock_s": MINUTE_S},
)
# Why each is what it is: docs/cluster.md.
PRODUCTION_TERMS = Terms(
    exchange={
        "challenge_window_s": DAY_S,
        "answer_window_s": 12 * HOUR_S,
        "silent_slots": DAY_SLOTS // 4,
        "exit_s": 5 * DAY_S,
        "freeze_slots": 3 * DAY_SLOTS,
        "bond_lamports": SOL // 5,
        "loosening_s": 7 * DAY_S,
    },
    limits={
        "deposit_cap_atoms": 1_000_000 * QUOTE_ATOMS,
        "hour_atoms": 100_000 * QUOTE_ATOMS,
        "day_atoms": 400_000 * QUOTE_ATOMS,
    },
    fund={
        "cooldown_s": 14 * DAY_S,
        "claim_s": 3 * DAY_S,
        "min_stake_atoms": 100 * QUOTE_ATOMS,
        "recovery_delay_s": HOUR_S,
        "event_atoms": 100_000 * QUOTE_ATOMS,
        "day_atoms": 200_000 * QUOTE_ATOMS,
        "bond_atoms": 100 * QUOTE_ATOMS,
        "award_atoms": 10_000 * QUOTE_ATOMS,
        "dispute_s": 7 * DAY_S,
        "decision_s": 21 * DAY_S,
        "open_slots": 1_500,
    },
    auctions={
        "start_ppm": 2_500,
        "end_ppm": 5_000,
        "percent_slots": 100,
        "settle_slots": 150,
        "bond_lamports": SOL // 20,
        "min_join_atoms": 100 * QUOTE_ATOMS,
        "leave_s": 3 * DAY_S,
        "claim_s": DAY_S,
    },
    votes={"voting_s": 3 * DAY_S, "loosening_s": 7 * DAY_S, "execution_s": 7 * DAY_S, "lock_s": 3 * DAY_S},
)
# Below these nobody's money should be held: who sleeps, or waits out a weekend, must still be able to act.
FLOORS = {
    "challenge_window_s": 12 * HOUR_S,
    "answer_window_s": 6 * HOUR_S,
    "exit_s": 3 * DAY_S,
    "loosening_s": 4 * DAY_S,
    "silent_slots": DAY_SLOTS // 24,
    "freeze_slots": DAY_SLOTS,
}


def too_short(exchange: Any) -> list[str]:
    """Say which times of an exchange are too short; `exchange`: its parameters, as the chain or a dict has them."""
    found = exchange if isinstance(exchange, dict) else {name: getattr(exchange, name) for name in FLOORS}
    return [f"{name} is {found[name]:,}, and not {least:,} or more" for name, least in FLOORS.items() if found[name] < least]


def fund_parameters(terms: Terms, markets: Sequence[MarketParameters]) -> dict[str, int]:
    """Return the fund's parameters: positions are taken on chain no faster than the engine's strictest market takes them."""
    shares = [(market.liquidation_share_ppm, max(market.liquidation_cooldown_ms, SLOT_MS)) for market in markets]
    return terms.fund | {
        "first_ppm": min(share_ppm for share_ppm, _ in shares),
        "slot_ppm": min(max(1, share_ppm * SLOT_MS // cooldown_ms) for share_ppm, cooldown_ms in shares),
        "small_atoms": min(market.liquidation_full_notional_atoms for market in markets),
    }


def vote_parameters(terms: Terms, *, supply_atoms: int) -> dict[str, int]:
    """Return governance's parameters: a thousandth of all tokens proposes; a fifth of the stake, and a fiftieth of all, must agree."""
    return terms.votes | {
        "proposal_atoms": max(supply_atoms // 1_000, 1),
        "quorum_ppm": PPM // 5,
        "quorum_atoms": max(supply_atoms // 50, 1),
        "majority_ppm": PPM // 2,
    }


def limit_parameters(market: MarketParameters, *, price_e8: int) -> dict[str, int]:
    """Return what `risk` tells about a market: the engine counts concentration in lots, the chain in money at this price."""
    no_limit = 2**63 - 1
    from_atoms = market.concentration_from_lots * market.lot_e8 * price_e8 * QUOTE_ATOMS // 10**16
    return {
        "max_position_lots": market.max_position_lots or no_limit,
        "concentration_from_atoms": from_atoms if market.concentration_ppm else no_limit,
        "concentration_ppm": market.concentration_ppm,
    }
