"""The operator is gone: strangers keep the exchange going, it comes back only with all that they did, or everybody gets out."""

import pytest
from solders.keypair import Keypair

from markets.signed_orders import encode
from tests.programs.support.batches import Batch, Entry, house
from tests.programs.support.exchange import TICKS, USDC, Exchange, ed25519, value_atoms
from tests.programs.support.svm import refused

LOTS = 7_900


@pytest.fixture
def silent(funded: Exchange) -> Exchange:
    """Charlie, who has nothing to do with the operator, has money and a key, too."""
    funded.deposit(funded.charlie, 100_000 * USDC)
    funded.keys[funded.charlie] = funded.chain.key(23)
    funded.register_key(funded.charlie, funded.keys[funded.charlie])
    funded.silence()
    return funded


def match(exchange: Exchange, buyer: Keypair, seller: Keypair, lots: int, ticks: int) -> None:
    """Let Charlie bring two signed orders together."""
    buy, sell = exchange.order(buyer, "buy", lots, ticks), exchange.order(seller, "sell", lots, ticks)
    signed = ed25519((exchange.keys[buyer], encode(buy)), (exchange.keys[seller], encode(sell)))
    accounts = {
        "buyer": exchange.user(buyer),
        "seller": exchange.user(seller),
        "buyer_key": exchange.trading_key(buyer, exchange.keys[buyer]),
        "seller_key": exchange.trading_key(seller, exchange.keys[seller]),
    }
    exchange.match(buy, sell, lots, ticks, verified=[signed], **accounts)


def trade_liquidate_and_leave(exchange: Exchange) -> int:
    """Everything that traders need, without the operator; returns how many events of the chain that were."""
    before = exchange.state()["chain_events"]
    match(exchange, exchange.alice, exchange.bob, LOTS, TICKS)
    exchange.chain.warp(seconds=10)
    exchange.reprice(98_600)
    exchange.liquidate(exchange.alice, exchange.charlie, LOTS)
    match(exchange, exchange.bob, exchange.charlie, LOTS, 986_000)
    exchange.withdraw(exchange.bob, exchange.balance(exchange.bob), number=None)
    return int(exchange.state()["chain_events"]) - int(before)


def test_strangers_match_liquidate_and_leave(silent: Exchange) -> None:
    assert trade_liquidate_and_leave(silent) == 4
    lost = value_atoms(LOTS, TICKS) - value_atoms(LOTS, 986_000)
    fee = value_atoms(LOTS, 986_000) // 100
    assert [silent.lots(owner) for owner in (silent.alice, silent.bob, silent.charlie)] == [0, 0, 0]
    assert silent.balance(silent.alice) == 20_000 * USDC - lost - fee
    assert (silent.balance(silent.bob), silent.balance(silent.charlie)) == (0, 100_000 * USDC + fee)
    assert silent.vault_atoms() == 120_000 * USDC - lost


def test_it_comes_back_only_with_every_one_of_their_deeds(silent: Exchange) -> None:
    events = trade_liquidate_and_leave(silent)
    known = silent.state()["chain_events"]
    leaves = silent.fill(1, 986_000, buyer=silent.charlie, seller=silent.alice)
    for missing in range(1, events + 1):
        with refused("UnknownChainEvents"):
            silent.settle(leaves, chain_events=known - missing)
    assert silent.state()["phase"] == "Fallback"
    silent.settle(leaves, chain_events=known)
    assert silent.state()["phase"] == "Live"
    with refused("WrongPhase"):
        match(silent, silent.alice, silent.charlie, 1, 986_000)
    with refused("WrongPhase"):
        silent.withdraw(silent.charlie, 1, number=None)


def forge(exchange: Exchange) -> None:
    """Before it falls silent the operator writes 50,000 USDC from one of its accounts, which has none, to another."""
    exchange.create_user(exchange.custodian)
    exchange.create_user(exchange.custodian, 1)
    exchange.deposit(exchange.custodian, 10_000 * USDC)
    users = {exchange.user(exchange.custodian): 50_000 * USDC, exchange.user(exchange.custodian, 1): -50_000 * USDC}
    entries = [Entry(user=user, before=exchange.outlook(user), leaves=[house(0, amount)]) for user, amount in users.items()]
    batch = Batch(seq=1, entries=sorted(entries, key=lambda entry: bytes(entry.user)))
    steps = [exchange.open_instruction(1), exchange.post_instruction(batch), exchange.close_instruction(batch)]
    exchange.chain.send(steps, [exchange.settler])
    exchange.finalise()


def test_everybody_gets_out_of_a_frozen_exchange_with_one_haircut(funded: Exchange) -> None:
    """Alice is far below zero when it freezes, and an account of the operator's has what another one owes."""
    forge(funded)
    funded.deposit(funded.charlie, 5_000 * USDC)
    funded.settle(funded.fill(7_000))
    funded.finalise()
    funded.silence()
    for price in (94_000, 89_000, 85_000, 82_000, 80_000, 80_000, 80_000):
        funded.chain.warp(seconds=1_800, slots=1)
        funded.reprice(price)
    funded.chain.warp(seconds=1, slots=1_001)
    funded.send("freeze_silent", {}, {}, [funded.charlie])
    for owner in (funded.alice, funded.bob, funded.charlie, funded.authority, funded.custodian):
        funded.value(owner)
    funded.value(funded.custodian, 1)
    funded.open_escapes()

    bob, charlie = (funded.account(owner)["claim_atoms"] for owner in (funded.bob, funded.charlie))
    operator, vault = 10_000 * USDC, funded.vault_atoms()
    claims = bob + charlie + operator
    assert funded.account(funded.alice)["claim_atoms"] == 0
    assert funded.account(funded.custodian)["claim_atoms"] == 60_000 * USDC
    assert claims > vault

    paid = [funded.escape(owner) for owner in (funded.alice, funded.bob, funded.charlie, funded.authority, funded.custodian)]
    assert paid == [0, bob * vault // claims, charlie * vault // claims, 0, operator * vault // claims]
    assert funded.escape(funded.custodian, sub_account=1) == 0
    assert 0 <= funded.vault_atoms() <= 3
    for owner in (funded.bob, funded.charlie, funded.custodian):
        with refused("AlreadyDone"):
            funded.escape(owner)
