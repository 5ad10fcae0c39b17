"""An exchange that was handed over to governance: what its authority did by itself takes a proposal, from the command line."""

import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from chain.models import SettlementBatch
from chain.prices import market_address
from chain.setup import proposals
from chain.setup.inspection import is_governed
from chain.setup.localnet import set_up
from chain.setup.money import VOTES_ATOMS
from chain.setup.sender import SetupFailed
from tests.chain.markets import view
from tests.chain.settlement.desks import PRICE, SLOT_MS, SettlementDesk
from tests.engine.desk import MARKET, OTHER, USDC, parameters

pytestmark = pytest.mark.django_db
ALICE, BOB = 1_001, 1_002


class GovernedDesk(SettlementDesk):
    """One market on chain, and another one in the engine alone. The clock is the test's, for chain and engine alike."""

    listed = ((MARKET, "BTC"),)
    whole = True

    def __init__(self, *, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
        real, self.ahead_s = time.time, 0.0
        monkeypatch.setattr(time, "time", lambda: real() + self.ahead_s)
        super().__init__(monkeypatch=monkeypatch, **options)
        self.stop = self.localnet.tick(slot_ms=SLOT_MS)
        self.key_file = self.deployment.folder / "authority.json"

    def say(self, *words: str, key: bool = True) -> str:
        """Call the command as a person does."""
        told = StringIO()
        call_command("governance", *words, *(["--key", str(self.key_file)] if key else []), stdout=told)
        return told.getvalue()

    def hand_over(self) -> None:
        views = [view(parameters(MARKET, base_asset="BTC"), price=PRICE)]
        set_up(rpc_url=self.localnet.url, folder=self.deployment.folder, views=views, say=lambda _: None, govern=True)

    def set_clock(self, now_s: Callable[[], int]) -> None:
        def turn() -> None:
            self.localnet.chain._now_s = now_s

        self.localnet.do(turn)

    def hold_time(self) -> None:
        """Let the chain's clock stand, so that no vote ends before it was taken part in."""
        moment_s = int(time.time())
        self.set_clock(lambda: moment_s)

    def wait_until(self, moment_s: int) -> None:
        self.ahead_s += max(moment_s - time.time(), 0) + 1
        self.set_clock(lambda: int(time.time()))
        self.localnet.finalize()

    def end(self) -> None:
        self.stop()
        super().end()


@pytest.fixture
def desk(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[GovernedDesk]:
    desk = GovernedDesk(folder=tmp_path, settings=settings, monkeypatch=monkeypatch)
    yield desk
    desk.end()


def test_it_hands_over_and_lists_a_market_by_a_proposal_that_is_traded_and_settled(desk: GovernedDesk) -> None:
    chain, client, governance = desk.deployment, desk.client, desk.deployment.governance
    with pytest.raises(SetupFailed, match="not enough stake"):
        desk.hand_over()
    desk.say("stake", str(VOTES_ATOMS))
    desk.hand_over()
    assert is_governed(chain, client)
    desk.hand_over()  # nothing more to do
    assert f"{governance.authority} governs the exchange" in desk.say("show", key=False)

    desk.hold_time()
    # What the key could do by itself until now.
    new = view(parameters(OTHER, base_asset="ETH"), price=PRICE)
    instructions = proposals.market(chain, client, new)
    number = proposals.propose(chain, client, key=chain.keys.authority, instructions=instructions, kind="Loosening")
    told = desk.say("vote", str(number), "yes")
    for part in ("loosening, voting", f"{VOTES_ATOMS:,} yes", "create_feed", "create_market", "set_market_limits"):
        assert part in told, part
    with pytest.raises(CommandError, match="would fail"):
        desk.say("execute", str(number))
    proposal = governance.read(client, number, commitment="confirmed")
    desk.wait_until(proposal.ready_at)
    assert "3 instructions" in desk.say("execute", str(number))
    assert "1. loosening, executed" in desk.say("show", key=False)
    market = chain.dex.program.account("Market", client.account(market_address(chain, OTHER), commitment="confirmed"))

    desk.wait_until(market.opens_at)
    desk.now_ms = int(time.time() * 1_000)
    desk.stop()
    desk.price(PRICE * 10, market_id=MARKET)
    desk.price(PRICE * 10, market_id=OTHER)
    desk.reprice(PRICE)
    for account_id in (ALICE, BOB):
        desk.join(account_id, 10_000 * USDC)
    desk.settle_batch()  # the baseline
    desk.place(BOB, "sell", 5, PRICE * 10, market_id=OTHER)
    desk.place(ALICE, "buy", 5, PRICE * 10, market_id=OTHER, time_in_force="ioc")
    assert desk.position(ALICE, OTHER) == 5
    assert desk.settle_batch().seq == SettlementBatch.objects.count()
    desk.assert_equal()
    desk.stop = desk.localnet.tick(slot_ms=SLOT_MS)
