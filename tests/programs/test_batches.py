"""Settlement by batches: what a batch must be, when it counts, and what it leaves alone."""

from typing import Any

import pytest

from chain import merkle
from tests.programs.support.batches import credit
from tests.programs.support.exchange import MARKET, PRICE, TICKS, USDC, Exchange, value_atoms
from tests.programs.support.svm import refused


def test_it_settles_a_fill_with_its_fee(funded: Exchange) -> None:
    leaves = funded.fill(100, fee_atoms=40 * USDC) | {funded.authority: [credit(40 * USDC)]}
    funded.settle(leaves)
    value = value_atoms(100, TICKS)
    pending = dict(funded.outlook(funded.user(funded.alice)))
    assert pending == {0: 20_000 * USDC - value - 40 * USDC, merkle.position_slot(MARKET): 100}
    assert funded.balance(funded.alice) == 20_000 * USDC
    funded.finalise()
    assert funded.balance(funded.alice) == 20_000 * USDC - value - 40 * USDC
    assert funded.balance(funded.bob) == 20_000 * USDC + value
    assert funded.balance(funded.authority) == 40 * USDC
    assert (funded.lots(funded.alice), funded.lots(funded.bob)) == (100, -100)
    assert funded.vault_atoms() == 40_000 * USDC


def test_it_pays_out_only_what_is_final(funded: Exchange) -> None:
    funded.settle(funded.fill(100))
    funded.reprice(PRICE + 1_000)
    sold = funded.order(funded.alice, "sell", 100, TICKS + 10_000)
    bought = funded.order(funded.bob, "buy", 100, TICKS + 10_000)
    price = {"price_ticks": TICKS + 10_000}
    funded.settle(
        {funded.alice: [funded.traded(sold, owner=funded.alice, **price)], funded.bob: [funded.traded(bought, owner=funded.bob, **price)]}
    )
    won = 100 * 10_000 * 100
    funded.grant(funded.alice, 20_000 * USDC + won)
    with refused("NotWithdrawable"):
        funded.withdraw(funded.alice, 20_000 * USDC + won)
    funded.finalise()
    funded.withdraw(funded.alice, 20_000 * USDC + won)
    assert funded.balance(funded.alice) == 0


def test_it_holds_back_what_pending_losses_claim(funded: Exchange) -> None:
    funded.settle({funded.alice: funded.fill(1, TICKS)[funded.alice], funded.bob: funded.fill(1, TICKS)[funded.bob]})
    funded.reprice(PRICE - 4_000)
    price = {"price_ticks": TICKS - 40_000}
    sold = funded.order(funded.alice, "sell", 1, TICKS - 40_000)
    bought = funded.order(funded.bob, "buy", 1, TICKS - 40_000)
    funded.settle(
        {funded.alice: [funded.traded(sold, owner=funded.alice, **price)], funded.bob: [funded.traded(bought, owner=funded.bob, **price)]}
    )
    lost = 40_000 * 100
    funded.grant(funded.alice, 20_000 * USDC)
    with refused("NotWithdrawable"):
        funded.withdraw(funded.alice, 20_000 * USDC)
    funded.grant(funded.alice, 20_000 * USDC - lost - 100 * USDC, number=2)
    funded.withdraw(funded.alice, 20_000 * USDC - lost - 100 * USDC, number=2)


def test_it_refuses_an_unhealthy_withdrawal(funded: Exchange) -> None:
    funded.settle(funded.fill(1_000))
    funded.finalise()
    free = 20_000 * USDC - value_atoms(1_000, TICKS) // 40
    funded.grant(funded.alice, free + 1)
    with refused("NotWithdrawable"):
        funded.withdraw(funded.alice, free + 1)
    funded.pay(funded.alice, free, number=2)


def test_it_lets_no_profit_of_an_open_position_leave(funded: Exchange) -> None:
    funded.settle(funded.fill(1_000))
    funded.finalise()
    for step in range(1, 40):
        funded.chain.warp(seconds=100)
        funded.reprice(PRICE + step * 1_000)
    funded.grant(funded.alice, 20_000 * USDC + 1)
    with refused("NotWithdrawable"):
        funded.withdraw(funded.alice, 20_000 * USDC + 1)


def test_it_withdraws_at_no_stale_price(funded: Exchange) -> None:
    funded.settle(funded.fill(10))
    funded.finalise()
    funded.grant(funded.alice, 1)
    funded.chain.warp(seconds=121)
    with refused("BadPriceState"):
        funded.withdraw(funded.alice, 1)


def test_it_settles_after_a_move_of_20_percent(funded: Exchange) -> None:
    leaves = funded.fill(1_000)
    for price in range(PRICE, PRICE * 4 // 5 - 1, -5_000):
        funded.chain.warp(seconds=10)
        funded.reprice(price)
    batch = funded.settle(leaves)
    funded.challenge(batch, funded.alice)
    funded.answer(batch, funded.alice)
    funded.finalise()
    assert funded.lots(funded.alice) == 1_000


def test_it_refuses_a_batch_again(funded: Exchange) -> None:
    leaves = funded.fill(10)
    batch = funded.build(leaves)
    steps = [funded.open_instruction(batch.seq), funded.post_instruction(batch), funded.close_instruction(batch)]
    funded.chain.send(steps, [funded.settler])
    with refused("AccountDiscriminatorMismatch|TransactionErrorInstructionError.*"):
        funded.chain.send(steps, [funded.settler])
    with refused("WrongBatch"):
        funded.chain.send([funded.post_instruction(batch)], [funded.settler])
    with refused("WrongBatch"):
        funded.chain.send([funded.close_instruction(batch)], [funded.settler])


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ({"prev_hash": bytes([1] * 32)}, "WrongSequence"),
        ({"begin_ms": 0, "end_ms": 0}, "OutsideInterval"),
        ({"end_ms": 1_900_000_000_000}, "OutsideInterval"),
        ({"chain_events": 99}, "UnknownChainEvents"),
    ],
    ids=["another chain", "no interval", "the future", "events of the future"],
)
def test_it_refuses_a_header(funded: Exchange, header: dict[str, Any], error: str) -> None:
    with refused(error):
        funded.settle(funded.fill(10), **header)


def test_it_refuses_gaps_and_overlaps(funded: Exchange) -> None:
    with refused("WrongSequence"):
        funded.chain.send([funded.open_instruction(2)], [funded.settler])
    funded.settle(funded.fill(10))
    with refused("OutsideInterval"):
        funded.settle(funded.fill(10), begin_ms=funded.state()["last_end_ms"] - 1)


def test_it_lets_only_the_settler_post(funded: Exchange) -> None:
    with refused("NotSettler"):
        funded.chain.send([funded.open_instruction(1, settler=funded.charlie)], [funded.charlie])


def test_it_has_one_batch_open(funded: Exchange) -> None:
    funded.chain.send([funded.open_instruction(1)], [funded.settler])
    with refused("WrongBatch"):
        funded.chain.send([funded.open_instruction(2)], [funded.settler])
    with refused("WrongBatch"):
        funded.turn()


def test_it_refuses_changes_that_do_not_sum_to_zero(funded: Exchange) -> None:
    leaves = funded.fill(10)
    leaves[funded.bob] = funded.fill(9)[funded.bob]
    with refused("NotZeroSum"):
        funded.settle(leaves)


def test_it_refuses_money_from_nowhere(funded: Exchange) -> None:
    with refused("NotZeroSum"):
        funded.settle({funded.alice: [credit(1)]})


def test_it_refuses_another_root(funded: Exchange) -> None:
    batch = funded.build(funded.fill(10))
    steps = [funded.open_instruction(1), funded.post_instruction(batch), funded.close_instruction(batch, root=bytes([1] * 32))]
    with refused("WrongRoot"):
        funded.chain.send(steps, [funded.settler])


def test_it_takes_each_account_once_and_in_order(funded: Exchange) -> None:
    batch = funded.build(funded.fill(10))
    changes, users = [entry.change for entry in batch.entries], [entry.user for entry in batch.entries]
    opened = funded.open_instruction(1)
    with refused("NotAscending"):
        funded.chain.send([opened, funded.post_instruction(batch, changes[::-1], users[::-1])], [funded.settler])
    with refused("NotAscending"):
        funded.chain.send([opened, funded.post_instruction(batch, changes, [users[0]] * 2)], [funded.settler])
    with refused("NotAscending"):
        funded.chain.send([opened, *[funded.post_instruction(batch, changes[:1], users[:1])] * 2], [funded.settler])
    with refused("WrongAccounts"):
        funded.chain.send([opened, funded.post_instruction(batch, changes[:1], users)], [funded.settler])


def test_it_takes_only_accounts_of_its_own(funded: Exchange) -> None:
    batch = funded.build(funded.fill(10))
    users = sorted((batch.entries[0].user, funded.exchange), key=bytes)
    with refused("AccountDiscriminatorMismatch"):
        funded.chain.send([funded.open_instruction(1), funded.post_instruction(batch, users=users)], [funded.settler])
    users = sorted((batch.entries[0].user, funded.prices.feed()), key=bytes)
    with refused("AccountOwnedByWrongProgram"):
        funded.chain.send([funded.open_instruction(1), funded.post_instruction(batch, users=users)], [funded.settler])


@pytest.mark.parametrize(
    ("sums", "error"),
    [
        ([{"slot": 0, "amount": 0}], "BadChanges"),
        ([{"slot": 1, "amount": 5}, {"slot": 0, "amount": 5}], "BadChanges"),
        ([{"slot": 0, "amount": 5}, {"slot": 0, "amount": 5}], "BadChanges"),
        ([{"slot": 2, "amount": 5}], "BadChanges"),
        ([{"slot": 1, "amount": -1}], "Overdrawn"),
    ],
    ids=["zero", "descending", "twice", "an unknown asset", "owing an asset that nobody lends"],
)
def test_it_refuses_changes(funded: Exchange, sums: list[dict[str, int]], error: str) -> None:
    batch = funded.build(funded.fill(10))
    change = batch.entries[0].change | {"sums": sums}
    with refused(error):
        funded.chain.send([funded.open_instruction(1), funded.post_instruction(batch, [change], [batch.entries[0].user])], [funded.settler])


@pytest.mark.parametrize("leaves", [0, 65])
def test_it_refuses_changes_that_nobody_could_prove(funded: Exchange, leaves: int) -> None:
    batch = funded.build(funded.fill(10))
    changes = [entry.change | {"changes": leaves} for entry in batch.entries]
    with refused("BadChanges"):
        funded.chain.send([funded.open_instruction(1), funded.post_instruction(batch, changes)], [funded.settler])


def test_it_needs_the_terms_of_every_market_it_touches(funded: Exchange) -> None:
    batch = funded.build(funded.fill(10))
    steps = [funded.open_instruction(1), funded.post_instruction(batch), funded.close_instruction(batch, markets=0)]
    with refused("WrongAccounts"):
        funded.chain.send(steps, [funded.settler])
    steps[2] = funded.close_instruction(batch, markets=2)
    with refused("NotAscending|WrongAccounts"):
        funded.chain.send(steps, [funded.settler])


def test_it_becomes_final_only_after_its_window(funded: Exchange) -> None:
    funded.settle(funded.fill(10))
    funded.turn()
    funded.chain.warp(seconds=590)
    with refused("TooEarly"):
        funded.turn()
    funded.chain.warp(seconds=20)
    funded.turn()
    assert funded.lots(funded.alice) == 10


def test_it_takes_batches_while_others_wait(funded: Exchange) -> None:
    funded.settle(funded.fill(10))
    funded.turn()
    funded.settle(funded.fill(20))
    funded.settle(funded.fill(30))
    assert funded.lots(funded.alice) == 0
    funded.chain.warp(seconds=610)
    funded.turn()
    assert funded.lots(funded.alice) == 10
    funded.turn()
    assert funded.lots(funded.alice) == 60
    assert funded.lots(funded.bob) == -60


def test_it_refuses_funding_out_of_its_bounds(funded: Exchange) -> None:
    hour = funded.chain.now // 3_600
    index = PRICE * 10**8
    for paid in (
        {"hour": hour + 2, "index_e8": index, "rate_ppb": 1},
        {"hour": hour, "index_e8": index * 106 // 100, "rate_ppb": 1},
        {"hour": hour, "index_e8": index, "rate_ppb": 5_000_001},
    ):
        with refused("BadLeaf"):
            funded.settle(funded.fill(10), paid=paid)


def test_it_pays_an_hours_funding_once(funded: Exchange) -> None:
    hour = funded.chain.now // 3_600
    paid = {"hour": hour, "index_e8": PRICE * 10**8, "rate_ppb": 1}
    funded.settle(funded.fill(10), paid=paid)
    with refused("BadLeaf"):
        funded.settle(funded.fill(10), paid=paid)


def test_it_holds_no_more_positions_than_there_is_room(funded: Exchange) -> None:
    batch = funded.build(funded.fill(10))
    sums = [{"slot": merkle.position_slot(market), "amount": 1} for market in range(1, 10)]
    change = batch.entries[0].change | {"sums": sums}
    with refused("TooManyPositions"):
        funded.chain.send([funded.open_instruction(1), funded.post_instruction(batch, [change], [batch.entries[0].user])], [funded.settler])
