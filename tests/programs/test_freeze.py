"""The end: frozen at the last final state, one haircut for all, every user out, the vault at dust."""

import pytest

from tests.programs.support.exchange import LIMITS, PRICE, USDC, Exchange
from tests.programs.support.svm import refused

INSURANCE = 2**16 - 1


@pytest.fixture
def positioned(funded: Exchange) -> Exchange:
    """Alice is long 7,000 lots of Bob; an asset beside; final."""
    funded.deposit(funded.charlie, 5_000 * USDC)
    funded.deposit(funded.charlie, 123, asset=1)
    funded.settle(funded.fill(7_000))
    funded.finalise()
    return funded


def freeze(exchange: Exchange, *, prices: tuple[int, ...] = ()) -> None:
    """Be silent through a fall of prices, long enough for the average to follow."""
    exchange.silence()
    for price in prices:
        exchange.chain.warp(seconds=1_800, slots=1)
        exchange.reprice(price)
    exchange.chain.warp(seconds=1, slots=1_001)
    exchange.send("freeze_silent", {}, {}, [exchange.charlie])


def value_all(exchange: Exchange) -> None:
    for owner in (exchange.alice, exchange.bob, exchange.charlie, exchange.authority):
        exchange.value(owner)


def test_it_freezes_only_after_a_long_silence(funded: Exchange) -> None:
    with refused("WrongPhase"):
        funded.send("freeze_silent", {}, {}, [funded.charlie])
    funded.silence()
    with refused("TooEarly"):
        funded.send("freeze_silent", {}, {}, [funded.charlie])
    funded.chain.warp(seconds=1, slots=1_000)
    funded.send("freeze_silent", {}, {}, [funded.charlie])
    assert funded.state()["phase"] == "Frozen"


def test_everyone_leaves_with_his_equity(positioned: Exchange) -> None:
    freeze(positioned)
    value_all(positioned)
    positioned.open_escapes()
    assert positioned.escape(positioned.alice) == 20_000 * USDC
    assert positioned.escape(positioned.bob) == 20_000 * USDC
    assert positioned.escape(positioned.charlie) == 5_000 * USDC
    assert positioned.escape(positioned.charlie, asset=1) == 123
    assert (positioned.vault_atoms(), positioned.vault_atoms(1)) == (0, 0)


def test_one_haircut_for_all_when_accounts_are_below_zero(positioned: Exchange) -> None:
    freeze(positioned, prices=(94_000, 89_000, 85_000, 82_000, 80_000, 80_000, 80_000))
    value_all(positioned)
    alice, bob, charlie = (positioned.account(owner)["claim_atoms"] for owner in (positioned.alice, positioned.bob, positioned.charlie))
    assert alice == 0
    claims, vault = bob + charlie, positioned.vault_atoms()
    assert claims > vault
    positioned.open_escapes()
    assert positioned.escape(positioned.bob) == bob * vault // claims
    assert positioned.escape(positioned.charlie) == charlie * vault // claims
    assert positioned.escape(positioned.alice) == 0
    assert 0 <= positioned.vault_atoms() < 3


def test_the_insurance_pays_first(positioned: Exchange) -> None:
    positioned.create_user(positioned.authority, INSURANCE)
    positioned.deposit(positioned.authority, 200_000 * USDC, sub_account=INSURANCE)
    freeze(positioned, prices=(94_000, 89_000, 85_000, 82_000, 80_000, 80_000, 80_000))
    value_all(positioned)
    positioned.value(positioned.authority, INSURANCE)
    bob = positioned.account(positioned.bob)["claim_atoms"]
    vault, claims = positioned.vault_atoms(), bob + 5_000 * USDC
    positioned.open_escapes()
    assert positioned.escape(positioned.bob) == bob
    assert positioned.escape(positioned.charlie) == 5_000 * USDC
    assert positioned.escape(positioned.authority, sub_account=INSURANCE) == vault - claims
    assert positioned.vault_atoms() == 0


def test_nobody_escapes_twice(positioned: Exchange) -> None:
    freeze(positioned)
    value_all(positioned)
    positioned.open_escapes()
    positioned.escape(positioned.alice)
    with refused("AlreadyDone"):
        positioned.escape(positioned.alice)
    positioned.escape(positioned.alice, asset=1)
    with refused("AlreadyDone"):
        positioned.escape(positioned.alice, asset=1)


def test_an_escape_goes_to_its_owner_from_its_vault(positioned: Exchange) -> None:
    freeze(positioned)
    value_all(positioned)
    positioned.open_escapes()
    with refused("ConstraintTokenOwner"):
        positioned.escape(positioned.alice, destination=positioned.wallet(positioned.charlie))
    with refused("ConstraintTokenMint"):
        positioned.escape(positioned.alice, destination=positioned.wallet(positioned.alice, 1))
    with refused("WrongTokenAccount"):
        positioned.escape(positioned.alice, vault=positioned.asset_accounts(1)["vault"])


def test_escapes_open_once_everyone_is_valued(positioned: Exchange) -> None:
    freeze(positioned)
    with refused("WrongPhase"):
        positioned.escape(positioned.alice)
    positioned.value(positioned.alice)
    with refused("AlreadyDone"):
        positioned.value(positioned.alice)
    with refused("TooEarly"):
        positioned.open_escapes()
    for owner in (positioned.bob, positioned.charlie, positioned.authority):
        positioned.value(owner)
    with refused("WrongAccounts"):
        positioned.open_escapes(asset=1)
    positioned.open_escapes()
    with refused("WrongPhase"):
        positioned.open_escapes()
    with refused("AlreadyDone"):
        positioned.value(positioned.alice)


def test_an_account_is_valued_with_all_its_markets(positioned: Exchange) -> None:
    freeze(positioned)
    with refused("WrongAccounts"):
        positioned.send("value_user", {}, {"user": positioned.user(positioned.alice)}, [positioned.charlie])


def test_nothing_else_happens_once_frozen(positioned: Exchange) -> None:
    freeze(positioned)
    leaves = positioned.fill(1)
    with refused("WrongPhase"):
        positioned.settle(leaves)
    with refused("WrongPhase"):
        positioned.deposit(positioned.alice, 1)
    with refused("WrongPhase"):
        positioned.withdraw(positioned.alice, 1, number=None)
    with refused("WrongPhase"):
        positioned.match(positioned.order(positioned.alice, "buy", 1), positioned.order(positioned.bob, "sell", 1), 1)
    with refused("WrongPhase"):
        positioned.liquidate(positioned.alice, positioned.bob, 1)
    with refused("WrongPhase"):
        positioned.turn()
    with refused("WrongPhase"):
        positioned.observe()
    with refused("WrongPhase"):
        positioned.create_user(positioned.chain.key(77))
    with refused("WrongPhase"):
        positioned.request_exit(positioned.alice)
    with refused("WrongPhase"):
        positioned.create_market(2)
    accounts = {"authority": positioned.authority.pubkey(), "asset": positioned.asset_accounts(0)["asset"]}
    positioned.send("set_limits", {"limits": LIMITS}, accounts, [positioned.authority])
    assert positioned.state()["phase"] == "Frozen"


def test_a_price_after_the_freeze_changes_no_claim(positioned: Exchange) -> None:
    freeze(positioned)
    positioned.prices.agree(PRICE // 2)
    value_all(positioned)
    assert positioned.account(positioned.alice)["claim_atoms"] == 20_000 * USDC


def test_nobody_goes_on_with_a_batch_once_frozen(positioned: Exchange) -> None:
    unanswered = positioned.settle(positioned.fill(1))
    positioned.challenge(unanswered, positioned.alice)
    batch = positioned.build(positioned.fill(2))
    positioned.chain.send([positioned.open_instruction(batch.seq), positioned.post_instruction(batch)], [positioned.settler])
    positioned.chain.warp(seconds=301)
    positioned.freeze_unanswered(unanswered, positioned.alice)
    assert positioned.lots(positioned.alice) == 7_000
    for step in (positioned.close_instruction(batch), positioned.post_instruction(batch)):
        with refused("WrongPhase"):
            positioned.chain.send([step], [positioned.settler])
    value_all(positioned)
    positioned.open_escapes()
    assert positioned.escape(positioned.alice) == 20_000 * USDC
