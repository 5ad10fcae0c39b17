"""Liquidity pools, as built: shares that nobody inflates, a manager who trades and takes nothing, and ways out without him."""

import random
from collections.abc import Callable

import pytest
from solders.keypair import Keypair
from solders.pubkey import Pubkey

from chain import merkle
from markets.signed_orders import SignedOrder, encode
from tests.programs.support.auctions import PARAMETERS, Auctions
from tests.programs.support.exchange import MARKET, TICKS, USDC, Exchange, ed25519, value_atoms
from tests.programs.support.svm import TAKEN, Refused, refused
from tests.programs.test_jit_auctions import LIMIT, START, arm, wait

PAR = 10**6
LEAVE_S = PARAMETERS["leave_s"]


@pytest.fixture
def pools(funded: Exchange) -> Auctions:
    """Charlie manages a pool that Bob joined with 10,000 USDC."""
    pools = arm(funded)
    pools.create(funded.charlie)
    pools.join(funded.charlie, funded.bob, 10_000 * USDC)
    return pools


@pytest.fixture
def silent(pools: Auctions) -> Auctions:
    pools.exchange.silence()
    return pools


def pool_balance(pools: Auctions, manager: Keypair) -> int:
    return dict(pools.exchange.outlook(pools.user_of(manager), final_only=True)).get(0, 0)


def out(pools: Auctions, manager: Keypair, owner: Keypair) -> int:
    """Leave with everything, recalling what is missing."""
    pools.request(manager, owner)
    pools.exchange.chain.warp(seconds=LEAVE_S, slots=1)
    missing = pools.member(manager, owner)["requested_atoms"] - pools.pool(manager)["idle_atoms"]
    if missing > 0:
        pools.recall(manager, missing, caller=owner)
    return pools.leave(manager, owner)


def test_a_pool_is_its_managers_one_and_only(pools: Auctions) -> None:
    state = pools.pool(pools.exchange.charlie)
    assert (state["idle_atoms"], state["shares"]) == (10_000 * USDC, 10_000 * USDC * PAR)
    account = pools.exchange.dex.account("User", pools.exchange.chain.data(state["user"]))
    assert account["owner"] == pools.owner_of(pools.exchange.charlie)
    with pytest.raises(Refused, match=TAKEN):
        pools.create(pools.exchange.charlie)


def test_nobody_keeps_a_pool_from_being_made(pools: Auctions) -> None:
    exchange = pools.exchange
    accounts = {"payer": exchange.payer.pubkey(), "user": pools.user_of(exchange.bob)}
    arguments = {"owner": pools.owner_of(exchange.bob), "sub_account": 0}
    exchange.send("create_user", arguments, accounts, [exchange.payer])
    pools.create(exchange.bob)
    pools.join(exchange.bob, exchange.alice, USDC)


def test_who_leaves_gets_his_share_after_the_delay(pools: Auctions) -> None:
    exchange, manager, bob, alice = pools.exchange, pools.exchange.charlie, pools.exchange.bob, pools.exchange.alice
    with refused("BelowMinimum"):
        pools.join(manager, alice, USDC - 1)
    pools.join(manager, alice, 5_000 * USDC)
    with refused("WrongRequest"):
        pools.leave(manager, bob)
    with refused("TooMuch"):
        pools.request(manager, bob, pools.member(manager, bob)["shares"] + 1)
    with refused("WorthNothing"):
        pools.request(manager, bob, 1)
    with refused("NotOwner"):
        pools.request(manager, bob, signer=alice)
    pools.request(manager, bob)
    with refused("WrongRequest"):
        pools.request(manager, bob)
    exchange.chain.warp(seconds=LEAVE_S - 1)
    with refused("TooEarly"):
        pools.leave(manager, bob)
    exchange.chain.warp(seconds=1)
    with refused("NotOwner"):
        pools.leave(manager, bob, signer=alice)
    assert pools.leave(manager, bob) == 10_000 * USDC
    pools.request(manager, alice)
    exchange.chain.warp(seconds=LEAVE_S + PARAMETERS["claim_s"] + 1)
    with refused("TooLate"):
        pools.leave(manager, alice)
    with refused("NotOwner"):
        pools.cancel(manager, alice, signer=bob)
    pools.cancel(manager, alice)
    with refused("WrongRequest"):
        pools.cancel(manager, alice)
    assert out(pools, manager, alice) == 5_000 * USDC
    assert pools.pool(manager)["shares"] == 0


def test_nobody_makes_a_share_dear(pools: Auctions) -> None:
    exchange, bob, alice = pools.exchange, pools.exchange.bob, pools.exchange.alice
    pools.create(bob)
    pools.join(bob, bob, USDC)
    # Money for the pool's account counts, tokens for its vault do not: both are lost to who gives them.
    exchange.deposit(bob, 100_000 * USDC, user=pools.user_of(bob))
    pools.join(bob, alice, 10 * USDC)
    exchange.silence()
    assert out(pools, bob, alice) >= 10 * USDC - 1
    assert out(pools, bob, bob) <= 100_001 * USDC


def test_the_manager_moves_money_to_the_exchange_and_back_only(silent: Auctions) -> None:
    exchange, manager = silent.exchange, silent.exchange.charlie
    for signer in (exchange.bob, exchange.alice):
        with refused("NotManager"):
            silent.deploy(manager, USDC, signer=signer)
    with refused("Illiquid"):
        silent.deploy(manager, 10_000 * USDC + 1)
    with refused("WrongTokenAccount"):
        silent.deploy(manager, USDC, dex_vault=exchange.wallet(manager))
    silent.deploy(manager, 8_000 * USDC)
    assert (silent.pool(manager)["idle_atoms"], pool_balance(silent, manager)) == (2_000 * USDC, 8_000 * USDC)
    for vault in (exchange.wallet(manager), exchange.wallet(exchange.bob)):
        with refused("WrongTokenAccount"):
            silent.recall(manager, USDC, vault=vault)
    with pytest.raises(Refused):
        exchange.withdraw(manager, USDC, number=None, user=silent.user_of(manager), destination=exchange.wallet(manager))
    with refused("NotWithdrawable"):
        silent.recall(manager, 8_000 * USDC + 1)
    silent.recall(manager, 8_000 * USDC)
    assert silent.pool(manager)["idle_atoms"] == 10_000 * USDC


def test_a_member_recalls_what_his_request_needs(silent: Auctions) -> None:
    exchange, manager, bob = silent.exchange, silent.exchange.charlie, silent.exchange.bob
    silent.deploy(manager, 9_000 * USDC)
    with refused("WrongRequest"):
        silent.recall(manager, 1, caller=bob)
    with refused("NotManager"):
        silent.recall(manager, 1, caller=exchange.alice)
    silent.request(manager, bob, silent.member(manager, bob)["shares"] // 2)
    with refused("TooEarly"):
        silent.recall(manager, 1, caller=bob)
    exchange.chain.warp(seconds=LEAVE_S, slots=1)
    with refused("Illiquid"):
        silent.leave(manager, bob)
    with refused("TooMuch"):
        silent.recall(manager, 4_000 * USDC + 1, caller=bob)
    silent.recall(manager, 4_000 * USDC, caller=bob)
    assert silent.leave(manager, bob) == 5_000 * USDC


def test_live_a_recall_takes_the_settlers_voucher(pools: Auctions) -> None:
    exchange, manager = pools.exchange, pools.exchange.charlie
    pools.deploy(manager, 8_000 * USDC)
    with refused("WrongPhase"):
        pools.recall(manager, 8_000 * USDC)
    user = pools.user_of(manager)
    voucher = exchange.dex.pda(b"voucher", bytes(user), (1).to_bytes(8, "little"))
    arguments = {"number": 1, "asset": 0, "amount": 8_000 * USDC, "expires_at": exchange.chain.now + 3_600}
    accounts = {"settler": exchange.settler.pubkey(), "user": user, "voucher": voucher}
    exchange.send("grant_voucher", arguments, accounts, [exchange.settler])
    with refused("WrongVoucher"):
        pools.recall(manager, 7_000 * USDC, voucher=voucher)
    pools.recall(manager, 8_000 * USDC, voucher=voucher)
    assert pools.pool(manager)["idle_atoms"] == 10_000 * USDC


def trade(pools: Auctions, *, revoked: bool = False) -> None:
    """Let the pool answer an auction of Alice's."""
    exchange, manager, alice = pools.exchange, pools.exchange.charlie, pools.exchange.alice
    key = exchange.chain.key(41)
    with refused("NotManager"):
        pools.register_key(manager, key, signer=exchange.bob)
    pools.register_key(manager, key)
    taken = exchange.order(alice, "buy", 100, LIMIT)
    pools.open(taken, alice)
    made = exchange.order(manager, "sell", 100, START, owner=bytes(pools.owner_of(manager)))
    user, trading_key = pools.user_of(manager), pools.key_of(manager, key)
    bid = pools.program.pda(b"bid", bytes(pools.auction_of(taken)), bytes(user))
    exchange.keys[manager] = key
    if revoked:
        with refused("NotManager"):
            pools.revoke_key(manager, key, signer=exchange.bob)
        pools.revoke_key(manager, key)
    pools.bid(taken, made, manager, user=user, trading_key=trading_key, bid=bid)
    pools.settle(taken, made, taker=alice, maker=manager, named={"bid": bid, "maker": user, "maker_key": trading_key})


def test_a_pool_answers_auctions_and_its_members_share_the_profit(silent: Auctions) -> None:
    exchange, manager, bob = silent.exchange, silent.exchange.charlie, silent.exchange.bob
    silent.deploy(manager, 8_000 * USDC)
    trade(silent)
    assert dict(exchange.outlook(silent.user_of(manager), final_only=True))[0] == 8_000 * USDC + value_atoms(100, START)
    exchange.chain.warp(seconds=10)
    exchange.reprice(99_000)
    silent.request(manager, bob)
    # Sold at 99,750; at the worst it is worth the average, which has hardly moved.
    requested = silent.member(manager, bob)["requested_atoms"]
    assert 10_000 * USDC - value_atoms(100, TICKS - START) <= requested < 10_000 * USDC + value_atoms(100, START - 99_000 * 10)
    # Who joins pays for the best that it may be worth.
    silent.join(manager, exchange.alice, 1_000 * USDC)
    assert silent.member(manager, exchange.alice)["shares"] < 1_000 * USDC * PAR * 9_999 // 10_000
    with refused("WrongAccounts"):
        silent.send("join", {"amount": USDC}, join_accounts(silent), [bob])


def join_accounts(pools: Auctions) -> dict[str, Pubkey]:
    manager, bob = pools.exchange.charlie, pools.exchange.bob
    named = {"owner": bob.pubkey(), "source": pools.exchange.wallet(bob), "member": pools.member_of(manager, bob)}
    return pools.pool_accounts(manager) | named


def test_a_revoked_key_answers_nothing(silent: Auctions) -> None:
    silent.deploy(silent.exchange.charlie, 8_000 * USDC)
    with refused("KeyRefused"):
        trade(silent, revoked=True)


def test_a_worthless_pool_sells_no_shares(silent: Auctions) -> None:
    exchange, manager, bob = silent.exchange, silent.exchange.charlie, silent.exchange.bob
    silent.deploy(manager, 10_000 * USDC)
    # A loss of everything, written into the account past the programs.
    user = silent.user_of(manager)
    account = exchange.chain.svm.get_account(user)
    assert account is not None
    data = bytearray(account.data)
    place = bytes(data).index((10_000 * USDC).to_bytes(8, "little"))
    data[place : place + 8] = bytes(8)
    exchange.chain.svm.set_account(user, type(account)(account.lamports, bytes(data), account.owner))
    with refused("UsedUp"):
        silent.join(manager, exchange.alice, USDC)
    with refused("WorthNothing"):
        silent.request(manager, bob)


def test_the_exchanges_end_pays_the_members_too(silent: Auctions) -> None:
    exchange, manager, bob = silent.exchange, silent.exchange.charlie, silent.exchange.bob
    silent.deploy(manager, 8_000 * USDC)
    wait(silent, 1_001)
    exchange.send("freeze_silent", {}, {}, [exchange.alice])
    with refused("WrongPhase"):
        silent.request(manager, bob)
    with refused("WrongPhase"):
        silent.join(manager, bob, USDC)
    with refused("WrongPhase"):
        silent.collect(manager)
    more = silent.markets()
    exchange.send("value_user", {}, {"user": silent.user_of(manager)}, [exchange.charlie], more)
    for owner in (exchange.alice, exchange.bob, exchange.charlie, exchange.authority):
        exchange.value(owner)
    exchange.open_escapes()
    # Somebody has it sent to another token account of the pool's address, and then counts too early.
    aside = exchange.chain.token_account(exchange.mints[0], silent.owner_of(manager), 0)
    escape = exchange.asset_accounts(0) | {"user": silent.user_of(manager), "destination": aside}
    exchange.send("escape", {}, escape, [exchange.alice])
    silent.collect(manager)
    assert silent.pool(manager)["idle_atoms"] == 2_000 * USDC
    with refused("ConstraintTokenOwner"):
        silent.collect(manager, exchange.wallet(bob))
    silent.collect(manager, aside)
    assert silent.pool(manager)["idle_atoms"] == 10_000 * USDC
    assert out(silent, manager, bob) == 10_000 * USDC


class Storm:
    """Bob, Alice and the authority come and go; Charlie moves the money; gifts and trades change what it is worth."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.exchange = exchange = Exchange()
        exchange.begin()
        for owner in (exchange.alice, exchange.bob):
            exchange.deposit(owner, 20_000 * USDC)
        self.pools = arm(exchange)
        self.manager = exchange.charlie
        self.pools.create(self.manager)
        self.key = exchange.chain.key(41)
        self.pools.register_key(self.manager, self.key)
        exchange.silence()
        self.done: dict[str, int] = {}

    @property
    def members(self) -> list[Keypair]:
        return [self.exchange.alice, self.exchange.bob, self.exchange.authority]

    def step(self) -> None:
        actions: list[Callable[[], None]] = [self.join, self.join, self.request, self.leave, self.leave, self.cancel]
        actions += [self.deploy, self.recall, self.give, self.wait, self.trade]
        action = self.chance.choice(actions)
        try:
            self.exchange.reprice(100_000 + self.chance.randrange(-300, 300))
            action()
            self.done[action.__name__] = self.done.get(action.__name__, 0) + 1
        except Refused:
            self.done["refused"] = self.done.get("refused", 0) + 1
        self.exchange.chain.warp(seconds=6, slots=1)

    def member(self) -> Keypair:
        return self.chance.choice(self.members)

    def amount(self) -> int:
        return self.chance.choice([USDC, self.chance.randrange(USDC, 3_000 * USDC)])

    def join(self) -> None:
        self.pools.join(self.manager, self.member(), self.amount())

    def request(self) -> None:
        owner = self.member()
        if self.exchange.chain.exists(self.pools.member_of(self.manager, owner)):
            shares = self.pools.member(self.manager, owner)["shares"]
            self.pools.request(self.manager, owner, self.chance.choice([shares, shares + 1, shares // 3]))

    def leave(self) -> None:
        self.pools.leave(self.manager, self.member())

    def cancel(self) -> None:
        self.pools.cancel(self.manager, self.member())

    def deploy(self) -> None:
        self.pools.deploy(self.manager, self.amount())

    def recall(self) -> None:
        self.pools.recall(self.manager, self.amount(), caller=self.chance.choice([self.manager, self.member()]))

    def give(self) -> None:
        self.exchange.deposit(self.exchange.bob, self.amount() // 10, user=self.pools.user_of(self.manager))

    def wait(self) -> None:
        self.exchange.chain.warp(seconds=self.chance.choice([60, LEAVE_S, LEAVE_S]), slots=1)

    def trade(self) -> None:
        """Sell to Alice or buy from her, at the oracle's price."""
        taken, made = self.chance.sample(["buy", "sell"], 2)
        self.trade_lots(taken, made, self.chance.randrange(1, 40))

    def trade_lots(self, taken: str, made: str, size: int) -> None:
        exchange = self.exchange
        ticks = exchange.prices.state()["price_e8"] // 10**7
        take = exchange.order(exchange.alice, taken, size, ticks)
        make = exchange.order(self.manager, made, size, ticks, owner=bytes(self.pools.owner_of(self.manager)))
        match(self.pools, self.manager, self.key, take, make, size, ticks)

    def end(self) -> None:
        """Close the pool's position: then everybody gets out, and together they get no more than there is."""
        exchange, user = self.exchange, self.pools.user_of(self.manager)
        exchange.deposit(exchange.bob, 20_000 * USDC, user=exchange.user(exchange.alice))
        exchange.reprice(100_000)
        lots = dict(exchange.outlook(user, final_only=True)).get(merkle.position_slot(MARKET), 0)
        if lots:
            made = "sell" if lots > 0 else "buy"
            self.trade_lots("buy" if lots > 0 else "sell", made, abs(lots))
        pool, left = self.pools.pool(self.manager), dict(exchange.outlook(user, final_only=True)).get(0, 0)
        paid = sum(self.get_out(owner) for owner in self.members)
        assert paid <= pool["idle_atoms"] + left
        assert self.pools.pool(self.manager)["shares"] == 0

    def get_out(self, owner: Keypair) -> int:
        pools, manager = self.pools, self.manager
        if not self.exchange.chain.exists(pools.member_of(manager, owner)):
            return 0
        if pools.member(manager, owner)["requested_at"]:
            pools.cancel(manager, owner)
        return out(pools, manager, owner) if pools.member(manager, owner)["shares"] else 0

    def check(self) -> None:
        pool = self.pools.pool(self.manager)
        assert self.exchange.chain.tokens(self.pools.vault_of(self.manager)) == pool["idle_atoms"]
        joined = [owner for owner in self.members if self.exchange.chain.exists(self.pools.member_of(self.manager, owner))]
        held = [self.pools.member(self.manager, owner) for owner in joined]
        assert sum(member["shares"] for member in held) == pool["shares"]
        users = [self.exchange.user(owner) for owner in (*self.members, self.manager)] + [self.pools.user_of(self.manager)]
        balances = [dict(self.exchange.outlook(user, final_only=True)).get(0, 0) for user in users]
        assert self.exchange.vault_atoms() == sum(balances)
        assert all(member["requested_shares"] <= member["shares"] for member in held)


def match(pools: Auctions, manager: Keypair, key: Keypair, taken: SignedOrder, made: SignedOrder, size: int, ticks: int) -> None:
    """Match an order of Alice with one of the pool, past any auction."""
    exchange, alice = pools.exchange, pools.exchange.alice
    sides = {
        taken.side: (exchange.user(alice), exchange.trading_key(alice, exchange.keys[alice]), taken, exchange.keys[alice]),
        made.side: (pools.user_of(manager), pools.key_of(manager, key), made, key),
    }
    buyer, seller = sides["buy"], sides["sell"]
    verified = ed25519((buyer[3], encode(buyer[2])), (seller[3], encode(seller[2])))
    accounts = {"buyer": buyer[0], "buyer_key": buyer[1], "seller": seller[0], "seller_key": seller[1]}
    exchange.match(buyer[2], seller[2], size, ticks, verified=[verified], **accounts)


def run(seed: int, steps: int) -> Storm:
    storm = Storm(seed)
    for _ in range(steps):
        storm.step()
        storm.check()
    storm.end()
    storm.check()
    return storm


def test_a_pool_adds_up_after_random_instructions() -> None:
    done: dict[str, int] = {}
    for seed in range(8):
        for name, times in run(seed, 80).done.items():
            done[name] = done.get(name, 0) + times
    assert {"join", "request", "leave", "cancel", "deploy", "recall", "give", "trade"} <= set(done)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(100, 150))
def test_a_pool_adds_up_after_many_random_instructions(seed: int) -> None:
    run(seed, 100)
