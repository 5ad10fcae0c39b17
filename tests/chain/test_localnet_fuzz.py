"""No input makes the localnet fail: each call gets a result or a JSON-RPC error."""

import base64
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from chain.localnet.application import answer_text, call_method
from chain.localnet.chain import Chain
from chain.localnet.journal import Journal
from chain.localnet.methods import METHODS
from chain.localnet.params import Params
from chain.localnet.subscriptions import READERS, Subscriptions
from chain.localnet.tokens import TOKEN_PROGRAM

KEY = str(Keypair.from_seed(bytes(32)).pubkey())
SIGNATURE = "1" * 64
NAMES = (
    *("commitment", "encoding", "filters", "dataSlice", "offset", "length", "memcmp", "bytes", "dataSize", "mint", "programId", "limit"),
    *("before", "until", "minContextSlot", "skipPreflight", "sigVerify", "replaceRecentBlockhash", "accounts", "addresses", "mentions"),
    *("searchTransactionHistory", "maxSupportedTransactionVersion", "withContext", "preflightCommitment"),
)
TEXTS = st.sampled_from(
    [
        KEY,
        SIGNATURE,
        str(TOKEN_PROGRAM),
        "",
        "0",
        "AAAA",
        "base64",
        "base58",
        "jsonParsed",
        "processed",
        "finalized",
        "all",
        "tokenAccountState",
    ]
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-1, 2**64) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS | st.text(max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), inner, max_size=4)
)


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    chain = Chain(journal=Journal(None))
    chain.advance(3)
    yield chain
    chain.close()


def ask(chain: Chain, method: str, params: Any) -> dict[str, Any]:
    subscriptions = Subscriptions(chain)

    def call(name: str, read: Params) -> Any:
        return subscriptions.handle(name, read, lambda _message: None, set()) if name in READERS else call_method(chain, name, read)

    answer: dict[str, Any] = msgspec.json.decode(answer_text(msgspec.json.encode({"id": 1, "method": method, "params": params}), call))
    chain.listeners.clear()
    return answer


@pytest.mark.parametrize("method", [*METHODS, *READERS])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(params=st.lists(VALUES, max_size=3) | VALUES)
def test_it_answers_any_parameters(chain: Chain, method: str, params: Any) -> None:
    answer = ask(chain, method, params)

    assert "result" in answer or answer["error"]["code"] < 0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=4), cut=st.integers(0, 20), check=st.booleans())
def test_it_answers_any_transaction(chain: Chain, places: list[tuple[int, int]], cut: int, check: bool) -> None:
    payer = chain.faucet
    instruction = transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=Keypair().pubkey(), lamports=10**9))
    message = MessageV0.try_compile(payer.pubkey(), [instruction], [], chain.latest_sealed("processed").blockhash)
    data = bytearray(bytes(VersionedTransaction(message, [payer])))
    for place, value in places:
        data[place % len(data)] = value
    text = base64.b64encode(bytes(data[: len(data) - cut])).decode()
    config = {"encoding": "base64", "preflightCommitment": "processed", "commitment": "processed"}

    for method in ("sendTransaction", "simulateTransaction"):
        answer = ask(chain, method, [text, config | ({"skipPreflight": True} if check else {})])
        assert "result" in answer or answer["error"]["code"] < 0
    fee = ask(chain, "getFeeForMessage", [base64.b64encode(bytes(data[65 : len(data) - cut])).decode()])
    assert "result" in fee or fee["error"]["code"] < 0
