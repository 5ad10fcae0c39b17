"""What `manage.py oracle` and `manage.py desk` take for an answer."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from oracle.feeds import choice
from oracle.feeds.choice import Choice
from oracle.management.commands.oracle import choice_of
from quantdesk.management.commands.desk import oracle_options

BARS = "time,open,high,low,close\n2022-01-01,100,110,90,105\n2022-01-02,105,106,80,81\n"


def options(**given: Any) -> dict[str, Any]:
    return {"feed": "", "seed": None, "script": None, "replay": None, "speed": 1} | given


def bars(folder: Path, text: str = BARS) -> Path:
    path = folder / "ETH-USD_1d.csv"
    path.write_text(text)
    return path


def test_it_takes_the_setting_unless_it_is_told_otherwise(settings: Any) -> None:
    settings.ORACLE_FEED = "sim"
    assert choice_of(options()).wanted == "sim"
    assert choice_of(options(feed="hermes")).wanted == "hermes"
    assert choice_of(options(replay=Path("ETH-USD.csv"), speed=60)) == Choice("replay", replay=Path("ETH-USD.csv"), speed=60)


@pytest.mark.parametrize(
    "given",
    [
        {"feed": "replay"},
        {"feed": "hermes", "replay": Path("ETH-USD.csv")},
        {"feed": "sim", "speed": 0},
        {"feed": "sim", "speed": 10**7},
        {"feed": "solana"},
    ],
)
def test_it_refuses_what_contradicts_itself(given: dict[str, Any], settings: Any) -> None:
    settings.PYTH_SOLANA_RPC_URL = ""
    with pytest.raises(CommandError):
        choice_of(options(**given))


@pytest.mark.parametrize("given", [{"feed": "sim"}, {"replay": Path("ETH-USD.csv")}])
def test_it_makes_nothing_up_in_production(given: dict[str, Any], settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="Production refuses"):
        choice_of(options(**given))


def test_it_hands_the_oracle_what_the_desk_was_told(tmp_path: Path, settings: Any) -> None:
    script = tmp_path / "fall.json"
    script.write_text('[{"type":"move","at":1,"move_ppm":-1000}]')
    told = oracle_options(options(replay=bars(tmp_path), speed=60, script=script, seed=3, port=1, reset=False))
    assert told == ("--replay", str(tmp_path / "ETH-USD_1d.csv"), "--speed", "60", "--script", str(script), "--seed", "3")
    assert oracle_options(options(feed="sim")) == ("--feed", "sim", "--speed", "1")


def test_it_says_at_once_that_a_file_cannot_be_used(tmp_path: Path) -> None:
    empty = tmp_path / "SOL-USD.csv"
    empty.touch()
    for given in ({"replay": tmp_path / "BTC-USD.csv"}, {"replay": empty}, {"feed": "sim", "script": bars(tmp_path)}):
        with pytest.raises(CommandError):
            oracle_options(options(**given))


async def test_it_simulates_the_other_assets_beside_a_replay(tmp_path: Path) -> None:
    feed = await choice.chosen(Choice("replay", replay=bars(tmp_path), seed=1), start_e8={})
    prices = await feed.poll()
    await feed.close()
    assert {price.source for price in prices if price.asset == "ETH"} == {"replay"}
    assert {price.source for price in prices if price.asset == "BTC"} == {"simulation", "simulation_2", "simulation_3"}
