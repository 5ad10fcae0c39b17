"""Deposits, vouchers, withdrawals, limits and keys of perp_dex, as built."""

from typing import Any

import pytest
from solders.account import Account
from solders.keypair import Keypair
from solders.system_program import TransferParams, advance_nonce_account, create_nonce_account, transfer

from tests.programs.support.exchange import HOUR_S, LIMITS, MARKET_PARAMETERS, PRICE, USDC, Exchange
from tests.programs.support.svm import TAKEN, TOKEN, Refused, refused


def test_it_is_initialised_only_with_the_programs_own_key() -> None:
    exchange = Exchange()
    with refused("NotDeployer"):
        exchange.initialise(program_signer=exchange.charlie)


def test_it_is_not_initialised_twice(exchange: Exchange) -> None:
    before = exchange.state()
    with pytest.raises(Refused, match=TAKEN):
        exchange.initialise()
    assert exchange.state() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"challenge_window_s": 0},
        {"answer_window_s": 9},
        {"silent_slots": 0},
        {"bond_lamports": 0},
        {"exit_s": 1_500},
        {"loosening_s": 86_400},
    ],
)
def test_it_refuses_parameters_that_break_a_promise(changes: dict[str, Any]) -> None:
    exchange = Exchange()
    with refused("BadParameters"):
        exchange.initialise(**changes)


def test_it_lets_only_its_authority_list(exchange: Exchange) -> None:
    exchange.mints.append(exchange.chain.mint(503))
    with refused("NotAuthority"):
        exchange.list_asset(2, authority=exchange.charlie)
    with refused("NotAuthority"):
        exchange.create_market(2, authority=exchange.charlie)


def test_it_lists_nothing_twice(exchange: Exchange) -> None:
    with pytest.raises(Refused, match=TAKEN):
        exchange.list_asset(0)
    with pytest.raises(Refused, match=TAKEN):
        exchange.create_market()
    with pytest.raises(Refused, match=TAKEN):
        exchange.create_user(exchange.alice)


@pytest.mark.parametrize(
    "changes",
    [
        {"tick_e8": 3, "lot_e8": 7},
        {"tiers": []},
        {"band_ppm": 0},
        {"liquidation_fee_ppm": 50_001},
        {"tiers": [{"notional_from_atoms": 0, "maintenance_ppm": 30_000, "deduction_atoms": 0, "max_leverage": 40}]},
        {
            "tiers": [
                {"notional_from_atoms": 0, "maintenance_ppm": 10_000, "deduction_atoms": 0, "max_leverage": 40},
                {"notional_from_atoms": 10**12, "maintenance_ppm": 20_000, "deduction_atoms": 0, "max_leverage": 20},
            ]
        },
    ],
    ids=["tick times lot", "no tiers", "no band", "fee", "maintenance above initial", "a jump between tiers"],
)
def test_it_refuses_market_parameters(exchange: Exchange, changes: dict[str, Any]) -> None:
    with refused("BadParameters"):
        exchange.create_market(2, **changes)


def test_it_takes_only_the_oracle_programs_feeds(exchange: Exchange) -> None:
    with refused("AccountOwnedByWrongProgram"):
        exchange.create_market(2, feed=exchange.market())
    with refused("WrongAccounts"):
        exchange.prices.create(2)
        exchange.observe(feed=exchange.prices.feed(2))


def test_a_new_market_opens_only_after_longer_than_an_exit_takes(exchange: Exchange) -> None:
    exchange.create_market(2)
    exchange.chain.warp(seconds=7 * 86_400 - 1, slots=1)
    exchange.prices.agree(PRICE)
    with refused("TooEarly"):
        exchange.observe(2)
    exchange.chain.warp(seconds=1, slots=1)
    exchange.observe(2)


def test_the_authority_signs_nothing_on_a_durable_nonce(exchange: Exchange) -> None:
    chain, authority, nonce = exchange.chain, exchange.authority, Keypair.from_seed(bytes([62] * 32))
    chain.send(list(create_nonce_account(authority.pubkey(), nonce.pubkey(), authority.pubkey(), 10**9)), [authority, nonce])
    chain.svm.expire_blockhash()
    advance = advance_nonce_account({"nonce_pubkey": nonce.pubkey(), "authorized_pubkey": authority.pubkey()})
    accounts = {"authority": authority.pubkey(), "asset": exchange.asset_accounts(0)["asset"]}
    limits = exchange.instruction("set_limits", {"limits": LIMITS}, accounts)
    payer = {"payer": exchange.payer.pubkey(), "authority": authority.pubkey()}
    market = payer | {"market": exchange.market(2), "feed": exchange.prices.feed()}
    create = exchange.instruction("create_market", {"market_id": 2, "parameters": MARKET_PARAMETERS}, market)
    exchange.mints.append(chain.mint(503))
    listing = exchange.instruction("list_asset", {"limits": LIMITS}, payer | exchange.asset_accounts(2))
    for instruction in (limits, create, listing):
        with refused("DurableNonce"):
            chain.send([advance, instruction], [authority, *([exchange.payer] if instruction is not limits else [])], budget=False)
    chain.send([limits, create, listing], [authority, exchange.payer])


def test_it_observes_no_stale_price(exchange: Exchange) -> None:
    exchange.chain.warp(seconds=61)
    with refused("BadPriceState"):
        exchange.observe()


def test_it_holds_what_was_deposited(exchange: Exchange) -> None:
    exchange.deposit(exchange.alice, 5 * USDC)
    exchange.deposit(exchange.alice, 7, asset=1)
    assert (exchange.balance(exchange.alice), exchange.balance(exchange.alice, 1)) == (5 * USDC, 7)
    assert (exchange.vault_atoms(), exchange.vault_atoms(1)) == (5 * USDC, 7)
    assert exchange.account(exchange.alice)["deposits"] == 2
    assert exchange.state()["chain_events"] == 4


def test_it_refuses_to_deposit_nothing(exchange: Exchange) -> None:
    with refused("ZeroAmount"):
        exchange.deposit(exchange.alice, 0)


def test_it_refuses_another_mint_vault_or_owner_in_a_deposit(exchange: Exchange) -> None:
    with refused("ConstraintTokenMint"):
        exchange.deposit(exchange.alice, 1, source=exchange.wallet(exchange.alice, 1))
    with refused("WrongTokenAccount"):
        exchange.deposit(exchange.alice, 1, vault=exchange.asset_accounts(1)["vault"])
    with refused("WrongTokenAccount"):
        exchange.deposit(exchange.alice, 1, vault=exchange.wallet(exchange.charlie))
    with refused("ConstraintTokenOwner"):
        exchange.deposit(exchange.alice, 1, source=exchange.wallet(exchange.bob))


def test_it_caps_deposits(exchange: Exchange) -> None:
    set_limits(exchange, deposit_cap_atoms=10)
    exchange.deposit(exchange.alice, 10)
    with refused("DepositCap"):
        exchange.deposit(exchange.bob, 1)


def test_it_pays_a_voucher_once(funded: Exchange) -> None:
    before = funded.chain.tokens(funded.wallet(funded.alice))
    funded.pay(funded.alice, 5 * USDC)
    assert funded.chain.tokens(funded.wallet(funded.alice)) == before + 5 * USDC
    assert funded.balance(funded.alice) == 20_000 * USDC - 5 * USDC
    with refused("AccountNotInitialized"):
        funded.withdraw(funded.alice, 5 * USDC)


def test_it_never_revives_a_used_voucher(funded: Exchange) -> None:
    funded.pay(funded.alice, 5 * USDC)
    with refused("WrongNumber"):
        funded.grant(funded.alice, 5 * USDC)
    with refused("WrongNumber"):
        funded.grant(funded.alice, 5 * USDC, number=3)


def test_nobody_revives_a_voucher_in_the_transaction_that_uses_it(funded: Exchange) -> None:
    """Rent that comes back to a closed account's address keeps it alive until the transaction ends."""
    funded.grant(funded.alice, 5 * USDC)
    voucher = funded.voucher(funded.alice, 1)
    wallet = funded.wallet(funded.alice)
    before = funded.chain.tokens(wallet)
    named = {"signer": funded.alice.pubkey(), "settler": funded.settler.pubkey(), "user": funded.user(funded.alice)}
    accounts = funded.asset_accounts(0) | named | {"destination": wallet, "voucher": voucher}
    withdraw = funded.instruction("withdraw", {"amount": 5 * USDC}, accounts)
    refund = transfer(TransferParams(from_pubkey=funded.alice.pubkey(), to_pubkey=voucher, lamports=10**9))
    with refused("AccountNotInitialized|AccountOwnedByWrongProgram"):
        funded.chain.send([withdraw, refund, withdraw], [funded.alice])
    funded.chain.send([withdraw, refund], [funded.alice])
    with refused("AccountNotInitialized|AccountOwnedByWrongProgram"):
        funded.chain.send([withdraw], [funded.alice])
    assert funded.chain.tokens(wallet) - before == 5 * USDC


def test_it_lets_only_the_settler_grant_vouchers(funded: Exchange) -> None:
    with refused("NotSettler"):
        funded.grant(funded.alice, 1, settler=funded.charlie)


def test_it_needs_a_voucher_while_live(funded: Exchange) -> None:
    with refused("WrongPhase"):
        funded.withdraw(funded.alice, 1, number=None)


def test_it_pays_only_what_the_voucher_says(funded: Exchange) -> None:
    funded.grant(funded.alice, 5 * USDC)
    with refused("WrongVoucher"):
        funded.withdraw(funded.alice, 6 * USDC)
    with refused("WrongVoucher"):
        funded.withdraw(funded.alice, 5 * USDC, asset=1)
    with refused("ConstraintSeeds"):
        funded.withdraw(funded.bob, 5 * USDC, voucher=funded.voucher(funded.alice, 1))


def test_it_pays_nobody_but_the_owner(funded: Exchange) -> None:
    funded.grant(funded.alice, 5 * USDC)
    with refused("NotOwner"):
        funded.withdraw(funded.alice, 5 * USDC, signer=funded.charlie)
    with refused("NotOwner"):
        funded.withdraw(funded.alice, 5 * USDC, signer=funded.settler)
    with refused("ConstraintTokenOwner"):
        funded.withdraw(funded.alice, 5 * USDC, destination=funded.wallet(funded.charlie))
    with refused("ConstraintTokenMint"):
        funded.withdraw(funded.alice, 5 * USDC, destination=funded.wallet(funded.alice, 1))
    with refused("WrongTokenAccount"):
        funded.withdraw(funded.alice, 5 * USDC, vault=funded.asset_accounts(1)["vault"])


def test_it_refuses_an_expired_voucher_and_takes_it_back(funded: Exchange) -> None:
    funded.grant(funded.alice, 5 * USDC)
    accounts = {"settler": funded.settler.pubkey(), "voucher": funded.voucher(funded.alice, 1)}
    with refused("TooEarly"):
        funded.send("return_voucher", {}, accounts, [funded.settler])
    funded.chain.warp(seconds=HOUR_S + 1)
    with refused("TooLate"):
        funded.withdraw(funded.alice, 5 * USDC)
    funded.send("return_voucher", {}, accounts, [funded.settler])
    assert not funded.chain.exists(funded.voucher(funded.alice, 1))


def test_it_pays_no_more_than_the_balance(funded: Exchange) -> None:
    funded.grant(funded.alice, 20_000 * USDC + 1)
    with refused("NotWithdrawable"):
        funded.withdraw(funded.alice, 20_000 * USDC + 1)


def set_limits(exchange: Exchange, **changes: int) -> None:
    accounts = {"authority": exchange.authority.pubkey(), "asset": exchange.asset_accounts(0)["asset"]}
    exchange.send("set_limits", {"limits": LIMITS | changes}, accounts, [exchange.authority])


def test_it_caps_withdrawals_of_an_hour_and_a_day(funded: Exchange) -> None:
    set_limits(funded, hour_atoms=10, day_atoms=15)
    funded.pay(funded.alice, 10, number=1)
    funded.grant(funded.alice, 1, number=2)
    with refused("WithdrawalLimit"):
        funded.withdraw(funded.alice, 1, number=2)
    funded.chain.warp(seconds=HOUR_S)
    funded.pay(funded.alice, 5, number=3)
    funded.chain.warp(seconds=HOUR_S)
    funded.grant(funded.alice, 1, number=4)
    with refused("WithdrawalLimit"):
        funded.withdraw(funded.alice, 1, number=4)


def test_it_tightens_at_once_and_loosens_later(funded: Exchange) -> None:
    set_limits(funded, hour_atoms=10)
    set_limits(funded, hour_atoms=100)
    funded.grant(funded.alice, 11, age_s=30 * 86_400)
    with refused("WithdrawalLimit"):
        funded.withdraw(funded.alice, 11)
    funded.chain.warp(seconds=7 * 86_400 - 1)
    with refused("WithdrawalLimit"):
        funded.withdraw(funded.alice, 11)
    funded.chain.warp(seconds=1)
    funded.withdraw(funded.alice, 11)


def test_it_lets_only_its_authority_set_limits(exchange: Exchange) -> None:
    accounts = {"authority": exchange.charlie.pubkey(), "asset": exchange.asset_accounts(0)["asset"]}
    with refused("NotAuthority"):
        exchange.send("set_limits", {"limits": LIMITS}, accounts, [exchange.charlie])


def test_it_registers_keys_for_their_owner_only(exchange: Exchange) -> None:
    key = exchange.chain.key(31)
    with refused("NotOwner"):
        accounts = {
            "owner": exchange.charlie.pubkey(),
            "user": exchange.user(exchange.alice),
            "trading_key": exchange.trading_key(exchange.alice, key),
        }
        arguments = {"key": key.pubkey(), "market_id": 1, "cap_atoms": 1, "expires_at": exchange.chain.now + 1, "custodied": False}
        exchange.send("register_key", arguments, accounts, [exchange.charlie])
    with refused("TooLate"):
        exchange.register_key(exchange.alice, key, expires_at=exchange.chain.now)


def revoke(exchange: Exchange, signer: Any) -> None:
    key = exchange.trading_key(exchange.alice, exchange.keys[exchange.alice])
    accounts = {"owner": signer.pubkey(), "user": exchange.user(exchange.alice), "trading_key": key}
    exchange.send("revoke_key", {}, accounts, [signer])


def test_it_revokes_a_key_once_and_for_ever(exchange: Exchange) -> None:
    with refused("NotOwner"):
        revoke(exchange, exchange.charlie)
    revoke(exchange, exchange.alice)
    with refused("AlreadyDone"):
        revoke(exchange, exchange.alice)
    with pytest.raises(Refused, match=TAKEN):
        exchange.register_key(exchange.alice, exchange.keys[exchange.alice])


def test_a_gift_to_the_vault_changes_nothing(funded: Exchange) -> None:
    vault = funded.asset_accounts(0)["vault"]
    given = bytearray(funded.chain.data(vault))
    given[64:72] = (funded.vault_atoms() + 999).to_bytes(8, "little")
    funded.chain.svm.set_account(vault, Account(10**9, bytes(given), TOKEN))
    funded.grant(funded.alice, 20_000 * USDC + 1)
    with refused("NotWithdrawable"):
        funded.withdraw(funded.alice, 20_000 * USDC + 1)
