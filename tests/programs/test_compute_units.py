"""No instruction takes more compute units than docs/programs.md says, and none is missing there."""

import re
from collections import defaultdict
from pathlib import Path

from tests.programs.governance.test_accounts import change_itself
from tests.programs.governance.test_accounts import live as decide
from tests.programs.support.auctions import Auctions
from tests.programs.support.exchange import Exchange
from tests.programs.support.governance import Governance
from tests.programs.support.idl import Program
from tests.programs.support.insurance import Insurance
from tests.programs.test_accounts import fall_back_and_match, judge, leave, live, settle_and_challenge
from tests.programs.test_jit_accounts import auction_and_pool
from tests.programs.test_liquidation_accounts import insure

DOCUMENT = Path(__file__).parents[2] / "docs" / "programs.md"


def documented() -> dict[str, int]:
    rows = re.findall(r"^\| ([a-z_ ]+) \| ([\d,]+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    return {name: int(units.replace(",", "")) for name, units in rows}


def measured() -> dict[str, int]:
    units: dict[str, int] = defaultdict(int)
    for path in (settle_and_challenge, fall_back_and_match):
        exchange = Exchange()
        exchange.begin()
        live(exchange)
        if path is fall_back_and_match:
            judge(exchange)
        path(exchange)
        leave(exchange)
        for label, used in exchange.chain.units.items():
            name = "show_leaf" if label.startswith("show_leaf") else label.split(" of ")[0]
            units[name] = max(units[name], used)
    return units | insured() | governed() | auctioned()


def insured() -> dict[str, int]:
    exchange = Exchange()
    exchange.begin()
    insure(Insurance(exchange))
    return {label: used for label, used in exchange.chain.units.items() if label.startswith("liquidation ")}


def governed() -> dict[str, int]:
    governance = Governance()
    decide(governance)
    change_itself(governance)
    return {label: used for label, used in governance.chain.units.items() if label.startswith("governance ")}


def auctioned() -> dict[str, int]:
    exchange = Exchange()
    exchange.begin()
    auction_and_pool(Auctions(exchange))
    return {label: used for label, used in exchange.chain.units.items() if label.startswith("jit ")}


def test_no_instruction_takes_more_than_documented() -> None:
    bounds, units = documented(), measured()
    assert {name: used for name, used in units.items() if used > bounds.get(name, 10**9)} == {}


def test_every_instruction_is_documented_and_measured() -> None:
    named = {
        "perp_dex": "",
        "oracle": "oracle ",
        "risk": "risk ",
        "liquidation": "liquidation ",
        "jit": "jit ",
        "governance": "governance ",
    }
    names = {prefix + name for program, prefix in named.items() for name in Program(program).instructions}
    assert names == set(documented())
    assert names <= set(measured())
