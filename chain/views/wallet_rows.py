"""The wallet page's figures and rows, as people read them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.utils import timezone

from accounts.models import TradingKey
from chain.custody.models import ChainAccount, ChainEvent, Withdrawal
from chain.custody.selectors import ChainSide
from markets import figures, units
from markets.selectors import parameters_by_id
from markets.stamps import ms
from markets.views import AccountView
from trading.representations import atoms_text
from trading.views.rows import day_time

ROWS: Final = 50
SOL_DECIMALS: Final = 9
NEVER: Final = datetime(9000, 1, 1, tzinfo=UTC)
TransactionUrl = Callable[[str], str]

STATES: Final = {
    Withdrawal.State.REQUESTED: ("Requested", "the exchange has not answered yet"),
    Withdrawal.State.HELD: ("Held", "waits for its voucher"),
    Withdrawal.State.REVIEW: ("In review", "two people look at large ones"),
    Withdrawal.State.GRANTED: ("Ready", "your wallet collects it"),
    Withdrawal.State.PAID: ("Paid", ""),
    Withdrawal.State.RETURNED: ("Returned", "back in your account"),
    Withdrawal.State.REFUSED: ("Refused", "nothing was debited"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """`exact` is the decimal that forms check against, where the figure has a name."""

    label: str
    value: str
    note: str = ""
    name: str = ""
    exact: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    label: str
    value: str
    total: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    name: str
    signature: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    id: str
    number: int
    what: str
    amount: str
    state: str
    note: str
    links: list[Link]
    time_ms: int
    time: str
    collectable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    key: str
    scope: str
    state: str
    live: bool


def wallet_figures(view: AccountView, held: ChainSide | None) -> list[Figure]:
    return [
        Figure(
            label="In your wallet",
            value=figures.dollars(held.wallet_atoms) if held else figures.NONE,
            note=f"{_sol(held.lamports)} SOL for fees" if held else "",
            name="wallet-usdc",
            exact=atoms_text(held.wallet_atoms) if held else "",
        ),
        Figure(label="Equity on the exchange", value=figures.dollars(view.equity_atoms), note="at mark prices"),
        Figure(
            label="Withdrawable now",
            value=figures.dollars(view.withdrawable_atoms),
            note="not needed as margin",
            name="withdrawable",
            exact=atoms_text(view.withdrawable_atoms),
        ),
        Figure(label="Final on chain", value=figures.dollars(held.final_atoms) if held else figures.NONE, note=_waiting(held)),
    ]


def withdraw_limits(view: AccountView) -> list[Limit]:
    cash = view.balances.get("USDC", 0) + sum(view.isolated_atoms.values())
    return [
        Limit(label="USDC on the exchange", value=figures.dollars(cash)),
        Limit(label="Held for positions and orders", value=figures.dollars(max(0, cash - view.withdrawable_atoms))),
        Limit(label="Withdrawable now", value=figures.dollars(view.withdrawable_atoms), total=True),
    ]


def limits_text(view: AccountView, held: ChainSide | None) -> str:
    """Say why no more can be withdrawn, and what it waits for."""
    reasons = []
    if view.positions or view.orders:
        reasons.append("Profit of open positions can be withdrawn once it is realised.")
    if held and held.pending_atoms:
        reasons.append("What was settled last becomes final on chain after its challenge window; a voucher for it waits until then.")
    return " ".join(reasons) or "Nothing secures a position, and all of it is final on chain."


def history_rows(place: ChainAccount, transaction_url: TransactionUrl) -> list[HistoryRow]:
    """Return deposits and withdrawals, newest first."""
    deposits = ChainEvent.objects.filter(account_address=place.address, kind="Deposited").order_by("-number")[:ROWS]
    withdrawals = Withdrawal.objects.filter(account_id=place.account_id)[:ROWS]
    rows = [_deposit(event, transaction_url) for event in deposits] + [_withdrawal(row, transaction_url) for row in withdrawals]
    return sorted(rows, key=lambda row: -row.time_ms)[:ROWS]


def key_rows(keys: list[TradingKey]) -> list[KeyRow]:
    symbols = {market_id: market.symbol for market_id, market in parameters_by_id().items()}
    now = timezone.now()
    return [
        KeyRow(key=key.key, scope=_scope(key, symbols), state=_key_state(key, now), live=key.revoked_at is None and key.expires_at > now)
        for key in keys
    ]


def _usdc(atoms: int) -> str:
    """Return an amount to the cent, or exactly where it has less than cents."""
    exact = units.decimal_from_atoms(atoms)
    cents = exact.quantize(figures.CENT)
    return figures.number(cents if cents == exact else exact)


def _sol(lamports: int) -> str:
    return f"{units.decimal_from_atoms(lamports, SOL_DECIMALS):.4f}"


def _waiting(held: ChainSide | None) -> str:
    if held is None:
        return "the chain cannot be reached"
    if not held.pending_atoms:
        return "cash less the cost of positions"
    return f"{figures.dollars_signed(held.pending_atoms)} waits to be final"


def _deposit(event: ChainEvent, transaction_url: TransactionUrl) -> HistoryRow:
    credited = event.state == ChainEvent.State.APPLIED
    time_ms = ms(event.happened_at) if event.happened_at else 0
    return HistoryRow(
        id=f"deposit-{event.number}",
        number=event.number,
        what="Deposit",
        amount=_usdc(int(event.data["amount"])),
        state="Credited" if credited else "Finalized",
        note="" if credited else "about to be credited",
        links=[Link(name="deposit", signature=event.signature, url=transaction_url(event.signature))],
        time_ms=time_ms,
        time=day_time(time_ms),
    )


def _withdrawal(row: Withdrawal, transaction_url: TransactionUrl) -> HistoryRow:
    state, note = STATES[Withdrawal.State(row.state)]
    signatures = (("voucher", row.grant_signature), ("paid", row.withdraw_signature), ("returned", row.return_signature))
    time_ms = ms(row.requested_at)
    return HistoryRow(
        id=f"withdrawal-{row.pk}",
        number=row.pk,
        what="Withdrawal",
        amount=_usdc(row.amount_atoms),
        state=state,
        note=_until(row) or note,
        links=[Link(name=name, signature=signature, url=transaction_url(signature)) for name, signature in signatures if signature],
        time_ms=time_ms,
        time=day_time(time_ms),
        collectable=row.state == Withdrawal.State.GRANTED,
    )


def _until(row: Withdrawal) -> str:
    """Return what a withdrawal waits for, where that is a time."""
    if row.state == Withdrawal.State.HELD and row.held_until and row.held_until > timezone.now():
        return f"until {row.held_until:%H:%M} UTC"
    if row.state == Withdrawal.State.GRANTED and row.expires_at:
        return f"collect it before {row.expires_at:%-d %b %H:%M} UTC"
    return ""


def _scope(key: TradingKey, symbols: dict[int, str]) -> str:
    market = "all markets" if key.market_id is None else symbols.get(key.market_id, f"market {key.market_id}")
    return f"{market}, orders to {figures.dollars(int(key.cap_atoms))}"


def _key_state(key: TradingKey, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {key.revoked_at:%-d %b %Y}"
    if key.expires_at <= now:
        return f"expired {key.expires_at:%-d %b %Y}"
    return "never expires" if key.expires_at > NEVER else f"until {key.expires_at:%-d %b %Y}"
