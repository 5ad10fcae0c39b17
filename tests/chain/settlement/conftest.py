from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chain.settlement.desks import SettlementDesk


@pytest.fixture
def desk(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SettlementDesk]:
    desk = SettlementDesk(folder=tmp_path, settings=settings, monkeypatch=monkeypatch)
    yield desk
    desk.end()
