"""Every code that the API can answer is explained: the engine's in words, all of them in docs/api.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from markets.parameters import MarketParameters
from markets.rejects import PRECEDENCE, Reject
from trading import numbers, refusals
from trading.refusals import refused

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "api.md").read_text()
BTC = MarketParameters(market_id=1, symbol="BTC-PERP", base_asset="BTC", tick_e8=10_000_000, lot_e8=100_000, tiers=())
SOURCES = ("markets", "oracle", "accounts", "trading/api", "trading/services", "trading", "quantdesk/api")
PAGES_ONLY = {"TOO_MANY_REGISTRATIONS", "USERNAME_TAKEN", "INVALID_USERNAME", "WEAK_PASSWORD", "REASON_REQUIRED", "MARKET_NOT_READY"}


def codes_in(source: Path) -> Iterator[str]:
    """Return the codes that a module gives to errors: `code = "…"`, InvalidField("…") and the like."""
    for node in ast.walk(ast.parse(source.read_text())):
        values: list[ast.expr] = []
        if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == "code" for target in node.targets):
            values = [node.value]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("InvalidField", "_named"):
            values = list(node.args[:1])
        for value in values:
            yield from (part.value for part in ast.walk(value) if isinstance(part, ast.Constant) and isinstance(part.value, str))


def test_it_documents_every_code() -> None:
    files = [file for folder in SOURCES for file in (ROOT / folder).glob("*.py") if file.name != "admin.py"]
    codes = {code for file in files for code in codes_in(file) if re.fullmatch(r"[A-Z_]{6,}", code)}
    assert {"NUMBER_SIGNED", "RATE_LIMITED", "ENGINE_BUSY"} <= codes | set(numbers.MESSAGES)
    undocumented = {code for code in codes | set(numbers.MESSAGES) | set(PRECEDENCE) if f"`{code}`" not in DOCUMENT}
    assert undocumented <= PAGES_ONLY


def test_it_documents_the_engines_precedence() -> None:
    listed = re.findall(r"`([A-Z_]+)`", DOCUMENT.partition("in this order")[2])
    assert tuple(listed) == PRECEDENCE


def test_it_has_words_for_every_refusal_of_the_engine() -> None:
    assert set(refusals.MESSAGES) == set(PRECEDENCE)
    assert set(refusals.FIELDS) | set(refusals.STATUSES) <= set(PRECEDENCE)


def test_it_says_ticks_lots_and_atoms_as_decimals() -> None:
    facts: dict[str, int | str] = {"min_ticks": 599_999, "size_lots": 15, "required_atoms": 1_500_000, "status": "halted", "last_number": 3}
    assert refused(Reject("PRICE_OUT_OF_BAND", facts), BTC).data == {
        "field": "price", "min": "59999.9", "size": "0.015", "required": "1.500000", "status": "halted", "last_number": 3,
    }  # fmt: skip
    assert refused(Reject("INVALID_SIZE", {"size_lots": 15})).data == {"field": "size", "size_lots": 15}, "no market, no units"


@pytest.mark.parametrize(
    ("code", "status"),
    [("INSUFFICIENT_MARGIN", 422), ("ORDER_NOT_FOUND", 404), ("DUPLICATE_ID", 409), ("PRICE_STALE", 503), ("EXPIRED", 503)],
)
def test_it_gives_a_refusal_its_status(code: str, status: int) -> None:
    assert refused(Reject(code)).status == status
