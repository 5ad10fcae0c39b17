"""Sending and simulating: preflight, fees, statuses, history."""

import base64
import struct

import pytest
from solana.rpc.core import RPCException
from solana.rpc.types import TxOpts
from solders.address_lookup_table_account import AddressLookupTableAccount, derive_lookup_table_address
from solders.compute_budget import set_compute_unit_limit, set_compute_unit_price
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message, MessageV0
from solders.pubkey import Pubkey
from solders.rpc.errors import SendTransactionPreflightFailureMessage
from solders.transaction import Transaction, VersionedTransaction
from solders.transaction_status import TransactionConfirmationStatus, TransactionErrorFieldless

from tests.chain.localnets import CONFIRMED, FINALIZED, PROCESSED, SOL, UNCHECKED, Localnet, localnet, pays
from tests.chain.minting import Mint

__all__ = ["localnet"]

SYSTEM = Pubkey.default()
ADDRESS_LOOKUP_TABLE_ID = Pubkey.from_string("AddressLookupTab1e1111111111111111111111111")
CHECKED = TxOpts(preflight_commitment=PROCESSED)


def test_it_takes_a_transaction_through_all_commitments(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()

    signature = localnet.pay(alice, bob, SOL, CHECKED)
    seen = []
    for blocks in (0, 1, 3):
        localnet.advance(blocks)
        seen.append(localnet.client.get_signature_statuses([signature]).value[0])

    assert [one.confirmation_status for one in seen if one] == [
        TransactionConfirmationStatus.Processed,
        TransactionConfirmationStatus.Confirmed,
        TransactionConfirmationStatus.Finalized,
    ]
    assert seen[2] is not None
    assert (seen[2].confirmations, seen[2].err) == (None, None)
    assert localnet.balance(alice.pubkey()) == 99 * SOL - 5_000


def test_it_sends_legacy_transactions_too(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    blockhash = localnet.blockhash()
    transaction = Transaction([alice], Message.new_with_blockhash([pays(alice, bob, SOL)], alice.pubkey(), blockhash), blockhash)

    signature = localnet.client.send_raw_transaction(bytes(transaction), CHECKED).value
    localnet.advance()

    landed = localnet.client.get_transaction(signature, commitment=CONFIRMED).value
    assert landed is not None
    assert localnet.balance(bob) == SOL


def test_it_stops_a_bad_transaction_before_it_is_sent(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    paid = localnet.signed(alice, pays(alice, bob, SOL))
    localnet.client.send_raw_transaction(bytes(paid), CHECKED)
    forged = VersionedTransaction.populate(paid.message, [Keypair().sign_message(b"something else")])
    old = localnet.blockhash()
    localnet.advance(151)

    failures = [
        refusal(localnet, localnet.signed(alice, pays(alice, bob, 1_000 * SOL))),
        refusal(localnet, localnet.signed(alice, pays(alice, bob, 2 * SOL), blockhash=old)),
        refusal(localnet, paid),
        refusal(localnet, forged),
    ]

    assert [str(getattr(one, "message", one)) for one in failures] == [
        "Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1",
        "Transaction simulation failed: Blockhash not found",
        "Transaction simulation failed: This transaction has already been processed",
        "RpcCustomErrorFieldless.TransactionSignatureVerificationFailure",
    ]


def test_it_lets_preflight_see_only_what_its_commitment_sees(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair()
    localnet.advance(10)
    localnet.pay(alice, bob.pubkey(), 10 * SOL)
    final = localnet.client.get_latest_blockhash(FINALIZED).value.blockhash
    onward = localnet.signed(bob, pays(bob, alice.pubkey(), SOL), blockhash=final)

    with pytest.raises(RPCException) as refused:
        localnet.client.send_raw_transaction(bytes(onward), TxOpts(preflight_commitment=FINALIZED))
    localnet.client.send_raw_transaction(bytes(onward), CHECKED)

    assert refused.value.args[0].data.err == TransactionErrorFieldless.AccountNotFound
    assert localnet.balance(bob.pubkey()) == 9 * SOL - 5_000


def test_it_silently_drops_what_skips_preflight_and_cannot_land(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    old = localnet.blockhash()
    localnet.advance(151)

    transaction = localnet.signed(alice, pays(alice, bob, SOL), blockhash=old)
    signature = localnet.client.send_raw_transaction(bytes(transaction), UNCHECKED).value
    localnet.finalize()

    assert signature == transaction.signatures[0]
    assert localnet.client.get_signature_statuses([signature], search_transaction_history=True).value == [None]


def test_it_carries_out_the_same_bytes_once(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    transaction = bytes(localnet.signed(alice, pays(alice, bob, SOL)))

    for _ in range(3):
        localnet.client.send_raw_transaction(transaction, UNCHECKED)
        localnet.advance()

    assert localnet.balance(bob) == SOL


def test_it_takes_the_fee_of_a_transaction_that_fails(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()

    signature = localnet.pay(alice, bob, 1_000 * SOL)
    localnet.finalize()

    landed = localnet.client.get_transaction(signature, commitment=FINALIZED, max_supported_transaction_version=0).value
    assert landed is not None
    assert landed.transaction.meta is not None
    assert landed.transaction.meta.err is not None
    assert landed.transaction.meta.fee == 5_000
    assert localnet.balance(alice.pubkey()) == 100 * SOL - 5_000


def test_it_charges_and_reports_priority_fees(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    budget = (set_compute_unit_limit(1_000), set_compute_unit_price(2_500_000))
    transaction = localnet.signed(alice, *budget, pays(alice, bob, SOL))

    quoted = localnet.client.get_fee_for_message(transaction.message, PROCESSED).value
    localnet.client.send_raw_transaction(bytes(transaction), CHECKED)
    localnet.advance()
    provider = localnet.client._provider
    fees = provider.session.post(
        localnet.url, json={"jsonrpc": "2.0", "id": 1, "method": "getRecentPrioritizationFees", "params": [[str(bob)]]}
    ).json()["result"]

    assert quoted == 7_500
    assert localnet.balance(alice.pubkey()) == 99 * SOL - 7_500
    assert [one["prioritizationFee"] for one in fees if one["prioritizationFee"]] == [2_500_000]


def test_it_simulates_without_changing_anything(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    good = localnet.signed(alice, pays(alice, bob, SOL))
    bad = localnet.signed(alice, pays(alice, bob, 1_000 * SOL))

    works = localnet.client.simulate_transaction(good, sig_verify=True, commitment=PROCESSED).value
    fails = localnet.client.simulate_transaction(bad, commitment=PROCESSED).value

    assert (works.err, works.units_consumed) == (None, 150)
    assert fails.err is not None
    assert any("insufficient lamports" in line for line in fails.logs or [])
    assert localnet.balance(bob) == 0
    assert localnet.balance(alice.pubkey()) == 100 * SOL


def test_it_simulates_with_a_new_blockhash_and_shows_accounts_afterwards(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    old = localnet.blockhash()
    localnet.advance(151)
    transaction = localnet.signed(alice, pays(alice, bob, SOL), blockhash=old)
    config = {"encoding": "base64", "replaceRecentBlockhash": True, "commitment": "processed", "accounts": {"addresses": [str(bob)]}}

    body = {"jsonrpc": "2.0", "id": 1, "method": "simulateTransaction", "params": [base64.b64encode(bytes(transaction)).decode(), config]}
    value = localnet.client._provider.session.post(localnet.url, json=body).json()["result"]["value"]

    assert value["err"] is None
    assert value["replacementBlockhash"]["blockhash"] != str(old)
    assert value["accounts"][0]["lamports"] == SOL


def test_it_lists_what_an_address_took_part_in_newest_first(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    sent = []
    for lamports in (SOL, 2 * SOL, 3 * SOL):
        sent.append(localnet.pay(alice, bob, lamports))
        localnet.advance()

    listed = [one.signature for one in localnet.client.get_signatures_for_address(bob, commitment=CONFIRMED).value]
    page = [one.signature for one in localnet.client.get_signatures_for_address(bob, before=sent[2], limit=1, commitment=CONFIRMED).value]
    since = [one.signature for one in localnet.client.get_signatures_for_address(bob, until=sent[0], commitment=CONFIRMED).value]

    assert listed == sent[::-1]
    assert page == [sent[1]]
    assert since == [sent[2], sent[1]]


def test_it_tells_token_balances_before_and_after(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    mint = Mint(localnet, alice)
    hers, his = mint.open(alice.pubkey(), 10), mint.open(bob)

    transaction = localnet.signed(alice, mint.transfer(hers, alice.pubkey(), his, 4))
    signature = localnet.client.send_raw_transaction(bytes(transaction), CHECKED).value
    localnet.advance()

    landed = localnet.client.get_transaction(signature, "jsonParsed", CONFIRMED, 0).value
    assert landed is not None
    meta = landed.transaction.meta
    assert meta is not None
    assert {(str(one.owner), one.ui_token_amount.amount) for one in meta.pre_token_balances or []} == {
        (str(alice.pubkey()), "10"),
        (str(bob), "0"),
    }
    assert {(str(one.owner), one.ui_token_amount.amount) for one in meta.post_token_balances or []} == {
        (str(alice.pubkey()), "6"),
        (str(bob), "4"),
    }


def test_it_tells_old_clients_that_it_has_a_version_they_cannot_read(localnet: Localnet) -> None:
    alice = localnet.rich()
    signature = localnet.pay(alice, Keypair().pubkey(), SOL)
    localnet.advance()

    with pytest.raises(RPCException) as refused:
        localnet.client.get_transaction(signature, commitment=CONFIRMED)

    assert type(refused.value.args[0]).__name__ == "UnsupportedTransactionVersionMessage"


def test_it_loads_addresses_from_a_lookup_table(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    localnet.advance(5)
    owner = alice.pubkey()
    slot = localnet.client.get_slot(FINALIZED).value
    table, bump = derive_lookup_table_address(owner, slot)
    roles = [
        AccountMeta(table, False, True),
        AccountMeta(owner, True, False),
        AccountMeta(owner, True, True),
        AccountMeta(SYSTEM, False, False),
    ]
    create = Instruction(ADDRESS_LOOKUP_TABLE_ID, struct.pack("<IQB", 0, slot, bump), roles)
    extend = Instruction(ADDRESS_LOOKUP_TABLE_ID, struct.pack("<IQ", 2, 2) + bytes(SYSTEM) + bytes(bob), roles)
    localnet.client.send_raw_transaction(bytes(localnet.signed(alice, create, extend)), CHECKED)
    localnet.advance()
    account = AddressLookupTableAccount(table, [SYSTEM, bob])
    message = MessageV0.try_compile(owner, [pays(alice, bob, SOL)], [account], localnet.blockhash())

    signature = localnet.client.send_raw_transaction(bytes(VersionedTransaction(message, [alice])), CHECKED).value
    localnet.advance()

    landed = localnet.client.get_transaction(signature, "jsonParsed", CONFIRMED, 0).value
    assert landed is not None
    assert landed.transaction.meta is not None
    assert landed.transaction.meta.loaded_addresses is not None
    assert landed.transaction.meta.loaded_addresses.writable == [bob]
    assert localnet.balance(bob) == SOL


def test_it_takes_no_other_account_for_a_lookup_table(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    mint = Mint(localnet, alice)
    account = AddressLookupTableAccount(mint.open(alice.pubkey()), [bob])
    message = MessageV0.try_compile(alice.pubkey(), [pays(alice, bob, SOL)], [account], localnet.blockhash())

    failure = refusal(localnet, VersionedTransaction(message, [alice]))

    assert "simulation failed" in failure.message
    assert localnet.balance(bob) == 0


def refusal(localnet: Localnet, transaction: VersionedTransaction) -> SendTransactionPreflightFailureMessage:
    with pytest.raises(RPCException) as refused:
        localnet.client.send_raw_transaction(bytes(transaction), CHECKED)
    failure: SendTransactionPreflightFailureMessage = refused.value.args[0]
    return failure
