"""INC-12, BitMEX, March 2020: orders waited in a queue and were carried out late; stops fired at last prices of thin moments."""

from tests.incidents.scene import ALICE, BOB, USDC, Scene

DELAY_MS = 10_000


def test_inc_12_it_refuses_a_command_that_has_waited_too_long() -> None:
    scene = Scene(cash=10_000 * USDC)
    order = scene.order(ALICE, "buy", 10, 10_000, valid_until_ms=scene.now_ms + DELAY_MS - 1)
    scene.wait(DELAY_MS)
    reply = scene.do(order)
    assert reply.reject is not None
    assert reply.reject.code == "EXPIRED"
    assert scene.book() == ([], [])


def test_inc_12_it_fires_stops_by_mark_and_not_by_the_last_trade() -> None:
    scene = Scene(cash=10_000 * USDC)
    scene.trade(20, 10_000, buyer=ALICE, seller=BOB)
    stop = scene.sell(ALICE, 20, type="stop_market", trigger_ticks=9_500, trigger_by="mark", reduce_only=True).orders[0]
    with scene.untouched():
        scene.trade(1, 9_100, buyer=BOB, seller=ALICE)
        scene.wait(DELAY_MS)
        assert scene.order_status(ALICE, stop.order_id) == "untriggered"
    scene.buy(BOB, 100, 9_300)
    scene.fall(9_400)
    assert scene.order_status(ALICE, stop.order_id) == "filled"
