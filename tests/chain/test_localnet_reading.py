"""What clients read: accounts at each commitment, tokens, blocks; and the errors of malformed calls."""

import base64
import json
from typing import Any

import httpx
import pytest
from solana.rpc.types import MemcmpOpts, TokenAccountOpts
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID

from tests.chain.localnets import CONFIRMED, FINALIZED, PROCESSED, SOL, Localnet, localnet
from tests.chain.minting import Mint

__all__ = ["localnet"]


def test_it_shows_each_commitment_level_its_own_balance(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()

    seen = []
    localnet.pay(alice, bob, SOL)
    for blocks in (0, 1, 3):
        localnet.advance(blocks)
        seen.append([localnet.balance(bob, level) for level in (PROCESSED, CONFIRMED, FINALIZED)])

    assert seen == [[SOL, 0, 0], [SOL, SOL, 0], [SOL, SOL, SOL]]


def test_it_answers_from_a_slot_that_was_asked_for_or_says_that_it_is_not_there_yet(localnet: Localnet) -> None:
    localnet.advance(10)
    slot = localnet.client.get_slot(FINALIZED).value
    ask = {"commitment": "finalized", "minContextSlot": slot + 1}

    before = call(localnet, "getBalance", [str(Keypair().pubkey()), ask])
    localnet.advance()
    after = call(localnet, "getBalance", [str(Keypair().pubkey()), ask])

    assert before["error"]["code"] == -32016
    assert before["error"]["data"] == {"contextSlot": slot}
    assert after["result"]["value"] == 0


def test_it_reads_several_accounts_at_once(localnet: Localnet) -> None:
    alice = localnet.rich()

    accounts = localnet.client.get_multiple_accounts([alice.pubkey(), Keypair().pubkey(), TOKEN_PROGRAM_ID]).value

    assert accounts[0] is not None
    assert accounts[0].lamports == 100 * SOL
    assert accounts[1] is None
    assert accounts[2] is not None
    assert accounts[2].executable


def test_it_cuts_a_slice_out_of_an_accounts_data(localnet: Localnet) -> None:
    alice = localnet.rich()
    mint = Mint(localnet, alice)
    account = mint.open(alice.pubkey(), 77)

    config = {"encoding": "base64", "dataSlice": {"offset": 64, "length": 8}}
    data = call(localnet, "getAccountInfo", [str(account), config])["result"]["value"]["data"]

    assert int.from_bytes(base64.b64decode(data[0]), "little") == 77


def test_it_finds_a_programs_accounts_by_size_and_content(localnet: Localnet) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    mint = Mint(localnet, alice)
    hers, his = mint.open(alice.pubkey()), mint.open(bob)

    every = localnet.client.get_program_accounts(TOKEN_PROGRAM_ID, filters=[165]).value
    owned = localnet.client.get_program_accounts(TOKEN_PROGRAM_ID, filters=[165, MemcmpOpts(32, str(bob))]).value
    all_sizes = localnet.client.get_program_accounts(TOKEN_PROGRAM_ID).value

    assert {one.pubkey for one in every} == {hers, his}
    assert [one.pubkey for one in owned] == [his]
    assert {one.pubkey for one in all_sizes} == {hers, his, mint.key}


def test_it_reads_token_balances_and_accounts_of_an_owner(localnet: Localnet) -> None:
    alice = localnet.rich()
    mint, other = Mint(localnet, alice), Mint(localnet, alice)
    account, second = mint.open(alice.pubkey(), 1_500_000), other.open(alice.pubkey(), 2)

    balance = localnet.client.get_token_account_balance(account).value
    of_mint = localnet.client.get_token_accounts_by_owner(alice.pubkey(), TokenAccountOpts(mint=mint.key)).value
    of_program = localnet.client.get_token_accounts_by_owner(alice.pubkey(), TokenAccountOpts(program_id=TOKEN_PROGRAM_ID)).value
    parsed = localnet.client.get_token_accounts_by_owner_json_parsed(alice.pubkey(), TokenAccountOpts(mint=mint.key)).value

    assert (balance.amount, balance.decimals, balance.ui_amount_string) == ("1500000", 6, "1.5")
    assert [one.pubkey for one in of_mint] == [account]
    assert {one.pubkey for one in of_program} == {account, second}
    facts: Any = parsed[0].account.data.parsed
    assert facts["info"]["tokenAmount"]["uiAmountString"] == "1.5"
    assert localnet.client.get_token_supply(mint.key).value.amount == "1500000"


def test_it_counts_slots_blocks_and_the_age_of_blockhashes(localnet: Localnet) -> None:
    client = localnet.client
    latest = client.get_latest_blockhash(PROCESSED).value
    localnet.advance()
    heights = [client.get_block_height(level).value for level in (PROCESSED, FINALIZED)]

    localnet.advance(148)
    last_good = is_valid(localnet, latest.blockhash, PROCESSED)
    last_height = client.get_block_height(PROCESSED).value
    localnet.advance(1)
    expired = not is_valid(localnet, latest.blockhash, PROCESSED)

    assert heights == [2, 0]
    assert last_good
    assert last_height == latest.last_valid_block_height
    assert expired


def test_it_does_not_take_a_fresh_blockhash_for_final(localnet: Localnet) -> None:
    localnet.advance(10)
    fresh = localnet.client.get_latest_blockhash(PROCESSED).value.blockhash

    seen = [is_valid(localnet, fresh, level) for level in (PROCESSED, CONFIRMED, FINALIZED)]

    assert seen == [True, True, False]


def test_it_tells_about_itself(localnet: Localnet) -> None:
    client = localnet.client
    info = client.get_epoch_info(PROCESSED).value

    assert client.get_genesis_hash().value == localnet.chain.genesis_hash
    assert client.get_version().value.solana_core == "2.2.0"
    assert (info.epoch, info.absolute_slot) == (0, client.get_slot(PROCESSED).value)
    assert httpx.get(f"{localnet.url}/health").text == "ok"
    assert call(localnet, "getHealth", [])["result"] == "ok"
    assert client.get_minimum_balance_for_rent_exemption(165).value == 2_039_280


MALFORMED: list[tuple[str, Any, int]] = [
    ("getBalance", [], -32602),
    ("getBalance", ["not base58 0OIl"], -32602),
    ("getBalance", ["abc"], -32602),
    ("getBalance", [str(Pubkey.default()), {"commitment": "sooner"}], -32602),
    ("getBalance", [str(Pubkey.default()), {"minContextSlot": -1}], -32602),
    ("getBalance", {"key": 1}, -32602),
    ("getAccountInfo", [str(Pubkey.default()), {"encoding": "rot13"}], -32602),
    ("getAccountInfo", [str(Pubkey.default()), 5], -32602),
    ("getMultipleAccounts", [[str(Pubkey.default())] * 101], -32602),
    ("getProgramAccounts", [str(TOKEN_PROGRAM_ID), {"filters": [{"colour": 1}]}], -32602),
    ("getProgramAccounts", [str(TOKEN_PROGRAM_ID), {"filters": [{"memcmp": {"offset": 0, "bytes": 5}}]}], -32602),
    ("getTokenAccountBalance", [str(Pubkey.default())], -32602),
    ("getTokenAccountsByOwner", [str(Pubkey.default()), {}], -32602),
    ("sendTransaction", ["AAAA", {"encoding": "base64"}], -32602),
    ("sendTransaction", ["!!", {"encoding": "base64"}], -32602),
    ("sendTransaction", ["A" * 5_000, {"encoding": "base64"}], -32602),
    ("simulateTransaction", [None], -32602),
    ("getSignatureStatuses", [["1"]], -32602),
    ("getSignaturesForAddress", [str(Pubkey.default()), {"commitment": "processed"}], -32602),
    ("getSignaturesForAddress", [str(Pubkey.default()), {"limit": 5_000}], -32602),
    ("getTransaction", ["1" * 64, {"encoding": 7}], -32602),
    ("getFeeForMessage", ["AAAA"], -32602),
    ("requestAirdrop", [str(Pubkey.default()), True], -32602),
    ("getBlockTime", [10**6], -32007),
    ("getEverything", [], -32601),
    ("accountSubscribe", [str(Pubkey.default())], -32601),
]


@pytest.mark.parametrize(("method", "params", "code"), MALFORMED)
def test_it_refuses_what_is_malformed_with_the_codes_of_validators(localnet: Localnet, method: str, params: Any, code: int) -> None:
    assert call(localnet, method, params)["error"]["code"] == code


@pytest.mark.parametrize(("body", "code"), [(b"{", -32700), (b"[]", -32600), (b'{"id": 1}', -32600), (b"7", -32600), (b"\xff", -32700)])
def test_it_refuses_what_is_no_request(localnet: Localnet, body: bytes, code: int) -> None:
    answer = httpx.post(localnet.url, content=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (200, code)


def test_it_answers_a_batch_in_order(localnet: Localnet) -> None:
    requests = [{"jsonrpc": "2.0", "id": number, "method": method} for number, method in enumerate(("getHealth", "getNothing", "getSlot"))]

    answers = httpx.post(localnet.url, json=requests).json()

    assert [one["id"] for one in answers] == [0, 1, 2]
    assert answers[1]["error"]["code"] == -32601


def test_it_lets_pages_of_any_origin_call(localnet: Localnet) -> None:
    answer = httpx.options(localnet.url, headers={"origin": "https://wallet.example", "access-control-request-method": "POST"})

    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")


def is_valid(localnet: Localnet, blockhash: Hash, commitment: str) -> bool:
    answer = call(localnet, "isBlockhashValid", [str(blockhash), {"commitment": commitment}])
    return bool(answer["result"]["value"])


def call(localnet: Localnet, method: str, params: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return json.loads(httpx.post(localnet.url, json=body).text)
