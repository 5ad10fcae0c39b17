"""How many markets there can be where a chain settles them."""

from pathlib import Path
from typing import Any

import pytest

from markets.fields import InvalidField
from markets.models import Market
from markets.seed import MARKETS
from tests.chain.deployments import write_deployment
from trading.services import markets


def test_it_refuses_a_ninth_market_where_there_is_a_chain(db: None, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CHAIN_DIR = tmp_path
    write_deployment(tmp_path)
    monkeypatch.setattr(markets, "MAX_MARKETS_ON_CHAIN", Market.objects.count())
    with pytest.raises(InvalidField) as refused:
        markets.market_create(parameters=MARKETS[0], author="sam")
    assert refused.value.code == "TOO_MANY_MARKETS"
