"""Margin of an account: explained, tried out, and how its positions are margined."""

from collections.abc import Mapping
from typing import NamedTuple

from accounts.selectors import AccountNotFound
from markets.commands import MarginMode, MoveIsolatedMargin, PlaceOrder, SetMarginMode
from markets.fields import InvalidField
from markets.gateway import gateway
from markets.parameters import MarketParameters
from markets.queries import ExplainMargin, PreviewMargin
from markets.selectors import market_by_symbol
from markets.units import QUOTE_DECIMALS
from markets.views import MarginExplanation, MarginPreview
from trading.numbers import atoms
from trading.refusals import refused
from trading.requests import PlaceRequest, place_command

MAX_MOVED_ATOMS = 10**18
MAX_LEVERAGE = 1_000
MOVE_DECIMALS = 4  # of a per cent: one part in a million
MOST_RISE = 1_000 * 10**MOVE_DECIMALS
MOST_FALL = 99 * 10**MOVE_DECIMALS


class Tried(NamedTuple):
    """A preview, with the market that its order is in, if it has one."""

    preview: MarginPreview
    market: MarketParameters | None


def margin_explain(*, account_id: int) -> MarginExplanation:
    """Return every term of an account's margin."""
    found = gateway().query(ExplainMargin(account_id=account_id))
    if found is None:
        raise AccountNotFound(account_id=account_id)
    return found


def margin_preview(
    *,
    account_id: int,
    order: PlaceRequest | None = None,
    moves: Mapping[str, str] | None = None,
    leverage: Mapping[str, int] | None = None,
    isolated_margin: Mapping[str, str] | None = None,
) -> Tried:
    """Return the same terms before and after all of this; `moves` are per cent and `isolated_margin` USDC, both signed, by symbol."""
    market = market_by_symbol(order.market) if order else None
    found = gateway().query(
        PreviewMargin(
            account_id=account_id,
            order=_command(order, market, account_id),
            leverages={market_by_symbol(symbol).market_id: _leverage(symbol, value) for symbol, value in (leverage or {}).items()},
            isolated_atoms={
                market_by_symbol(symbol).market_id: _amount(text, f"isolated_margin.{symbol}")
                for symbol, text in (isolated_margin or {}).items()
            },
            moves_ppm={market_by_symbol(symbol).market_id: _move(text, f"moves.{symbol}") for symbol, text in (moves or {}).items()},
        )
    )
    if found is None:
        raise AccountNotFound(account_id=account_id)
    return Tried(found, market)


def margin_mode_set(*, account_id: int, market_symbol: str, mode: MarginMode) -> None:
    """Choose cross or isolated margin in a market; HAS_EXPOSURE while there is a position or an order. The present mode is no error."""
    market = market_by_symbol(market_symbol)
    reply = gateway().submit(SetMarginMode(account_id=account_id, market_id=market.market_id, mode=mode))
    if reply.reject is not None and reply.reject.code != "NOTHING_TO_CHANGE":
        raise refused(reply.reject, market)


def isolated_margin_move(*, account_id: int, market_symbol: str, amount: str) -> int:
    """Move USDC to an isolated position's margin, or back with a minus; return the atoms."""
    market = market_by_symbol(market_symbol)
    amount_atoms = _amount(amount, "amount")
    reply = gateway().submit(MoveIsolatedMargin(account_id=account_id, market_id=market.market_id, amount_atoms=amount_atoms))
    if reply.reject is not None:
        raise refused(reply.reject, market)
    return amount_atoms


def _command(order: PlaceRequest | None, market: MarketParameters | None, account_id: int) -> PlaceOrder | None:
    if order is None or market is None:
        return None
    try:
        return place_command(order, account_id=account_id, market=market)
    except InvalidField as refusal:
        raise refusal.under("order") from refusal


def _leverage(symbol: str, leverage: int) -> int:
    if not 1 <= leverage <= MAX_LEVERAGE:
        nearest = min(max(leverage, 1), MAX_LEVERAGE)
        raise InvalidField("INVALID_LEVERAGE", "Leverage is a whole number from 1.", field=f"leverage.{symbol}", nearest=str(nearest))
    return leverage


def _amount(text: str, field: str) -> int:
    return _signed(text, field=field, decimals=QUOTE_DECIMALS, most=MAX_MOVED_ATOMS, least=-MAX_MOVED_ATOMS)


def _move(text: str, field: str) -> int:
    return _signed(text, field=field, decimals=MOVE_DECIMALS, most=MOST_RISE, least=-MOST_FALL)


def _signed(text: str, *, field: str, decimals: int, most: int, least: int) -> int:
    """Return a decimal with an optional minus in units of its last place."""
    if text.startswith("-"):
        return -atoms(text[1:], field=field, decimals=decimals, largest_atoms=-least)
    return atoms(text, field=field, decimals=decimals, largest_atoms=most)
