"""Every account of every instruction of the jit program is exchanged for another one; none may pass."""

from tests.programs.support.auctions import PARAMETERS, Auctions
from tests.programs.support.exchange import TICKS, USDC
from tests.programs.test_accounts import audited

# Whoever brings money or pays rent may be anyone; the system program is fixed by Anchor, the voucher is perp_dex's to judge.
ANYONE = {"payer", "system_program"}
START = TICKS * 9_975 // 10_000


def auction_and_pool(auctions: Auctions) -> None:
    """Use every instruction once: a bid that is settled, one that is broken, one that is released, and a pool's life."""
    exchange, alice, bob, charlie = auctions.exchange, auctions.exchange.alice, auctions.exchange.bob, auctions.exchange.charlie
    for owner in (alice, bob, charlie):
        exchange.deposit(owner, 20_000 * USDC)
    auctions.initialise()
    exchange.silence()
    taken = [exchange.order(alice, "buy", 100, TICKS) for _ in range(3)]
    made = [exchange.order(bob, "sell", 100, START) for _ in range(3)]
    for take, make in zip(taken, made, strict=True):
        auctions.open(take, alice)
        auctions.bid(take, make, bob)
    auctions.settle(taken[0], made[0], taker=alice, maker=bob)
    exchange.chain.warp(seconds=1, slots=PARAMETERS["settle_slots"] + 80)
    auctions.release(taken[1], made[1], maker=bob)
    late, broken = exchange.order(alice, "buy", 100, TICKS), exchange.order(bob, "sell", 100, START)
    auctions.open(late, alice)
    auctions.bid(late, broken, bob)
    key = exchange.trading_key(bob, exchange.keys[bob])
    exchange.send("revoke_key", {}, {"owner": bob.pubkey(), "user": exchange.user(bob), "trading_key": key}, [bob])
    auctions.default(late, broken, taker=alice, maker=bob)
    manage(auctions)


def manage(auctions: Auctions) -> None:
    exchange, bob, charlie = auctions.exchange, auctions.exchange.bob, auctions.exchange.charlie
    auctions.create(charlie)
    auctions.join(charlie, bob, 1_000 * USDC)
    auctions.deploy(charlie, 900 * USDC)
    key = exchange.chain.key(41)
    auctions.register_key(charlie, key)
    auctions.revoke_key(charlie, key)
    auctions.request(charlie, bob)
    auctions.cancel(charlie, bob)
    auctions.request(charlie, bob, auctions.member(charlie, bob)["shares"] // 2)
    exchange.chain.warp(seconds=PARAMETERS["leave_s"], slots=1)
    auctions.recall(charlie, 400 * USDC, caller=bob)
    auctions.leave(charlie, bob)
    exchange.chain.warp(seconds=1, slots=1_001)
    exchange.send("freeze_silent", {}, {}, [charlie])
    exchange.send("value_user", {}, {"user": auctions.user_of(charlie)}, [charlie], auctions.markets())
    for owner in (exchange.alice, bob, charlie, exchange.authority):
        exchange.value(owner)
    exchange.open_escapes()
    aside = exchange.chain.token_account(exchange.mints[0], auctions.owner_of(charlie), 0)
    exchange.send("escape", {}, exchange.asset_accounts(0) | {"user": auctions.user_of(charlie), "destination": aside}, [bob])
    auctions.collect(charlie, aside)


def test_no_account_of_any_instruction_can_be_exchanged() -> None:
    exchange, auditor = audited()
    auditor.watching = False
    exchange.begin()
    auditor.watching = True
    auctions = Auctions(exchange)
    auction_and_pool(auctions)
    assert auditor.accepted == []
    for name, described in auctions.program.instructions.items():
        untried = {account["name"] for account in described["accounts"]} - auditor.tried.get(name, set()) - ANYONE
        assert not untried, f"{name}: {untried}"
