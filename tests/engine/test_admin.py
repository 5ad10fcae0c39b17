"""Markets and the exchange as staff run them."""

import msgspec
import pytest

from markets.commands import CreateMarket, HaltIndex, Observation, ObservePrice, RulesUpgrade, SetMarketStatus, UpdateMarket
from markets.parameters import MarginTier
from tests.engine.desk import ALICE, BOB, CHARLIE, E8, MARKET, OTHER, START_MS, USDC, Desk, parameters


def set_status(desk: Desk, status: str, market_id: int = MARKET) -> None:
    desk.do(SetMarketStatus(market_id=market_id, status=status, reason="test", author="staff"))  # type: ignore[arg-type]


def test_it_admits_only_posts_in_post_only() -> None:
    desk = Desk()
    set_status(desk, "post_only")
    assert desk.buy(ALICE, 10, 9_990, post_only="reject").reject is None
    assert desk.buy(ALICE, 10, 9_990).reject is not None


@pytest.mark.parametrize("status", ["post_only", "cancel_only", "halted"])
@pytest.mark.parametrize("market_id", [0, MARKET])
def test_it_admits_cancels_in_every_state(status: str, market_id: int) -> None:
    desk = Desk()
    order = desk.buy(ALICE, 10, 9_990).orders[0]
    set_status(desk, status, market_id)
    assert desk.cancel(ALICE, order.order_id).reject is None


def test_it_holds_the_stricter_of_two_states() -> None:
    desk = Desk()
    set_status(desk, "post_only", 0)
    set_status(desk, "cancel_only")
    assert desk.market().status == "cancel_only"
    assert desk.market(OTHER).status == "post_only"


def test_it_creates_a_market_that_rests_until_it_is_opened() -> None:
    desk = Desk()
    assert desk.do(CreateMarket(parameters=parameters(NEW), status="halted")).reject is None
    assert [(event.market_id, event.status) for event in desk.named("MarketStatusChanged")] == [(NEW, "halted")]
    assert desk.market(NEW).status == "halted"
    assert desk.do(CreateMarket(parameters=parameters(NEW + 1), status="delisted")).reject is not None


def test_it_ends_a_delisted_market() -> None:
    """The index was at 10,000 for half a minute and at 10,100 for the other half."""
    desk = Desk(cash=1_000 * USDC)
    desk.trade(10, 10_000, buyer=ALICE, seller=BOB)
    desk.buy(CHARLIE, 10, 9_990)
    desk.price(10_000)
    desk.now_ms += 29_999
    desk.price(10_100)
    desk.now_ms += 30_000
    set_status(desk, "delisted")
    assert [event.reason for event in desk.named("OrderCancelled")] == ["delisted"]
    assert [(event.account_id, event.size_lots, event.realised_atoms) for event in desk.named("PositionChanged")] == [
        (ALICE, 0, 500_000),
        (BOB, 0, -500_000),
    ]
    assert desk.account(ALICE).balances["USDC"] == 1_000 * USDC - 50_000 + 500_000
    refused = desk.buy(ALICE, 10, 9_990)
    assert refused.reject is not None
    assert refused.reject.code == "MARKET_HALTED"
    back = desk.do(SetMarketStatus(market_id=MARKET, status="normal", reason="test"))
    assert back.reject is not None
    desk.now_ms = START_MS + 3_600_000
    desk.batch()
    assert {event.market_id for event in desk.named("FundingPaid")} == {OTHER}


TIERS = (
    (),
    (MarginTier(5, 10_000, 0, 50),),
    (MarginTier(0, 10_000, 0, 101),),
    (MarginTier(0, 10_000, 0, 50), MarginTier(100, 20_000, 2, 20)),
    (MarginTier(0, 10_000, 0, 20), MarginTier(1_000_000, 20_000, 10_000, 50)),
    (MarginTier(0, 10_000, 0, 50), MarginTier(0, 20_000, 0, 20)),
)


@pytest.mark.parametrize("tiers", TIERS)
def test_it_refuses_tiers_that_do_not_join(tiers: tuple[MarginTier, ...]) -> None:
    reply = Desk().do(CreateMarket(parameters=parameters(9, tiers=tiers)))
    assert reply.reject is not None
    assert reply.reject.data == {"field": "tiers"}


def test_it_replaces_parameters_as_a_whole() -> None:
    desk = Desk()
    changed = msgspec.structs.replace(parameters(), taker_fee_ppm=700)
    desk.do(UpdateMarket(parameters=changed))
    assert desk.named("MarketUpdated")[0].parameters == changed
    desk.trade(10, 10_000)
    assert desk.fills()[0].taker_fee_atoms == 70_000


def test_it_records_an_upgrade_of_its_rules() -> None:
    desk = Desk()
    assert desk.do(RulesUpgrade(from_version=7, to_version=8)).reject is not None
    version = desk.engine.state.rules_version
    desk.do(RulesUpgrade(from_version=version, to_version=version + 1))
    desk.restart()
    assert desk.engine.state.rules_version == version + 1


NEW = 3


def asset_desk(*sources: str) -> Desk:
    """An asset has had an index of its own, at 1,000, before a market is created on it."""
    desk = Desk()
    desk.admit(index_id=NEW)
    desk.now_ms += 1
    desk.do(ObservePrice(observations=tuple(Observation(NEW, source, 1_000 * E8, 0, desk.now_ms) for source in sources)))
    return desk


def test_it_marks_a_market_at_once_whose_index_is_valid_already() -> None:
    desk = asset_desk("pyth", "pyth_solana")
    desk.do(CreateMarket(parameters=parameters(NEW)))
    assert desk.market(NEW).mark_ticks == 10_000
    desk.sell(BOB, 10, 10_000, market_id=NEW)
    desk.buy(ALICE, 10, 10_000, market_id=NEW)
    desk.confirm()
    assert desk.account(BOB).unrealised_atoms == 0


def test_it_takes_no_risk_before_there_is_a_mark() -> None:
    desk = asset_desk("pyth", "pyth_solana")
    desk.do(HaltIndex(index_id=NEW, reason="test", author="staff"))
    desk.do(CreateMarket(parameters=parameters(NEW)))
    assert desk.market(NEW).mark_ticks == 0
    desk.engine.state.indices[NEW].state = "valid"
    refused = desk.buy(ALICE, 10, 10_000, market_id=NEW).reject
    assert refused is not None
    assert refused.code == "PRICE_STALE"


UNFIT: list[tuple[str, int]] = [
    ("liquidation_share_ppm", 0),
    ("liquidation_share_ppm", 1_000_001),
    ("liquidation_min_notional_atoms", -1),
    ("liquidation_full_notional_atoms", -1),
    ("liquidation_cooldown_ms", -1),
    ("settlement_window_ms", 0),
    ("settlement_window_ms", 86_400_001),
]


@pytest.mark.parametrize(("field", "value"), UNFIT)
def test_it_refuses_what_liquidations_and_settlements_cannot_go_by(field: str, value: int) -> None:
    desk = Desk()
    for command in (CreateMarket(parameters=parameters(NEW, **{field: value})), UpdateMarket(parameters=parameters(**{field: value}))):
        refused = desk.do(command).reject
        assert refused is not None
        assert (refused.code, refused.data) == ("INVALID_PARAMETERS", {"field": field})


def test_it_takes_liquidation_parameters_at_their_bounds() -> None:
    bounds = {"liquidation_share_ppm": 1_000_000, "liquidation_min_notional_atoms": 0, "liquidation_full_notional_atoms": 0}
    desk = Desk()
    assert desk.do(UpdateMarket(parameters=parameters(**bounds, liquidation_cooldown_ms=0, settlement_window_ms=86_400_000))).reject is None
