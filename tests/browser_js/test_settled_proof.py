"""A proof as the API really sends it, of a batch that the program has taken, is verified in a real browser."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from chain.views.proof import _state
from tests.browser_js.test_proofs import CHECKS, blank, run
from tests.chain.settlement.desks import SettlementDesk
from tests.chain.settlement.test_proofs import DAVE, ask, person
from tests.engine.desk import BOB
from trading.models import Fill

pytestmark = [pytest.mark.browser, pytest.mark.django_db]
__all__ = ["blank"]
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in the tests' thread

VERIFY = """
  const { readProof } = await import("/static/app/chain/proofshape.js");
  const { verify } = await import("/static/app/chain/proof.js");
  return (await verify(readProof(given[0], given[1]))).map(({ name, passed }) => [name, passed]);
"""


@pytest.fixture
def settlement(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[SettlementDesk]:
    desk = SettlementDesk(folder=tmp_path, settings=settings, monkeypatch=monkeypatch)
    yield desk
    desk.end()


def test_it_verifies_what_was_settled_alone_and_together(settlement: SettlementDesk, blank: Page, settings: Any) -> None:
    """A fill in a leaf of its own, and three that one leaf says; the key is the one that the wallet registered on chain."""
    settings.LOCALNET = True
    settlement.settle_batch()
    dave = settlement.adopt(DAVE)
    dave.trade("buy", 5, 10_000, other=BOB)
    settlement.do(dave.order("sell", 9, 10_020))
    for size in (2, 3, 4):
        settlement.buy(BOB, size, 10_020, time_in_force="ioc")
    settlement.settle_batch()
    client = person("dave", DAVE)

    for trade_id in (1, 2, 3, 4):
        fill = Fill.objects.get(account_id=DAVE, id__in=(2 * trade_id, 2 * trade_id + 1))
        state = _state(fill, settlement.engine.state.markets[fill.market_id].parameters, settlement.deployment)
        checks = run(blank, VERIFY, [ask(client, f"proofs/{trade_id}/"), state])
        assert checks == [[name, None if name == "The batch is final" else True] for name in CHECKS]
