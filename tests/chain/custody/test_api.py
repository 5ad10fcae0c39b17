"""/api/v1/chain/ as a browser uses it: link, faucet, deposit, key, withdraw; and what it refuses."""

import base64
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from solders.keypair import Keypair
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from accounts.models import TradingKey, User
from tests.chain.custody.desks import CustodyDesk, custody_desk
from tests.chain.localnets import SOL, free_port
from tests.support.api import Answer, Person
from tests.support.engine import engine_process, engine_processes

__all__ = ["custody_desk", "engine_process", "engine_processes"]


class Browser(Person):
    """A person's page with a wallet beside it."""

    def __init__(self, desk: CustodyDesk, name: str) -> None:
        super().__init__(User.objects.create_user(name, password="an-evening-in-november"))
        self.desk, self.key = desk, Keypair()
        self.address = str(self.key.pubkey())

    def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = self.send(method, f"chain/{path}", body)
        assert answer.status == status, answer
        return answer.json

    def link(self) -> Any:
        message = self.ask("POST", "wallets/challenge/", {"address": self.address})["message"]
        signature = base64.b64encode(bytes(self.key.sign_message(message.encode()))).decode()
        return self.ask("POST", "wallets/", {"address": self.address, "signature": signature}, status=201)

    def signed(self, transaction: str) -> str:
        """Sign as a wallet does: the message's bytes, the signature into its place."""
        unsigned = VersionedTransaction.from_bytes(base64.b64decode(transaction))
        return base64.b64encode(bytes(VersionedTransaction(unsigned.message, [self.key]))).decode()

    def do(self, name: str, body: Any = None) -> str:
        """Have a transaction built, sign it, pass it on, and wait until it is final; return its signature."""
        built = self.ask("POST", f"transactions/{name}/", body)
        signature: str = self.ask("POST", "transactions/", {"transaction": self.signed(built["transaction"])})["signature"]
        return self.final(signature)

    def final(self, signature: str) -> str:
        for _ in range(100):
            state = self.ask("GET", f"transactions/{signature}/")
            if state["status"] == "finalized":
                return signature
            assert state["status"] != "failed", state
            self.desk.localnet.advance()
        raise AssertionError(f"{signature} is not final")

    def wallet(self) -> Any:
        return self.ask("GET", "wallet/")


@pytest.fixture
def alice(custody_desk: CustodyDesk) -> Browser:
    return Browser(custody_desk, "alice")


def funded(alice: Browser) -> Browser:
    alice.link()
    alice.final(alice.ask("POST", "faucet/", {"address": alice.address})["signature"])
    alice.desk.run_until(lambda: alice.wallet()["created"])
    return alice


def error(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.error["code"]


def test_it_goes_from_a_wallet_to_a_deposit_and_back(custody_desk: CustodyDesk, alice: Browser) -> None:
    assert alice.wallet()["wallet"] is None
    funded(alice)
    assert (alice.wallet()["chain"]["sol"], alice.wallet()["chain"]["usdc"]) == ("1.000000000", "10000.000000")

    deposited = alice.do("deposit", {"amount": "2500.5"})
    custody_desk.run()
    state = alice.wallet()
    assert [(one["amount"], one["signature"], one["credited"]) for one in state["deposits"]] == [("2500.500000", deposited, True)]
    assert (state["engine"]["balance"], state["chain"]["final"], state["chain"]["usdc"]) == ("2500.500000", "2500.500000", "7499.500000")

    asked = alice.ask("POST", "withdrawals/", {"amount": "1000"}, status=201)
    assert asked["state"] == "held"
    custody_desk.run_until(lambda: alice.ask("GET", f"withdrawals/{asked['withdrawal_id']}/")["state"] == "granted")
    taken = alice.do("withdraw", {"withdrawal_id": asked["withdrawal_id"]})
    custody_desk.run_until(lambda: alice.ask("GET", "withdrawals/")["results"][0]["state"] == "paid")

    row, state = alice.ask("GET", "withdrawals/")["results"][0], alice.wallet()
    assert (row["withdraw_signature"], row["voucher"]) == (taken, 1)
    assert (state["engine"]["balance"], state["chain"]["final"], state["chain"]["usdc"]) == ("1500.500000", "1500.500000", "8499.500000")


def test_it_registers_and_revokes_a_trading_key(custody_desk: CustodyDesk, alice: Browser) -> None:
    funded(alice)
    key = str(Keypair().pubkey())
    alice.do("register-key", {"key": key, "cap": "5000", "market": "BTC-PERP"})
    custody_desk.run()
    (shown,) = alice.wallet()["trading_keys"]
    assert (shown["key"], shown["market_id"], shown["cap"], shown["revoked_ms"]) == (key, 1, "5000.000000", None)

    alice.do("revoke-key", {"key": key})
    custody_desk.run()
    assert TradingKey.objects.get(key=key).revoked_at is not None
    assert error(alice.post("chain/transactions/revoke-key/", {"key": key})) == (422, "CHAIN_SIMULATION_FAILED")


def test_it_links_only_who_has_signed(custody_desk: CustodyDesk, alice: Browser) -> None:
    bob = Browser(custody_desk, "bob")
    assert error(alice.post("chain/wallets/", {"address": alice.address, "signature": str(Keypair().sign_message(b""))})) == (
        409,
        "CHALLENGE_GONE",
    )
    message = alice.ask("POST", "wallets/challenge/", {"address": alice.address})["message"]
    wrong = str(bob.key.sign_message(message.encode()))
    assert error(alice.post("chain/wallets/", {"address": alice.address, "signature": wrong})) == (422, "PROOF_WRONG")
    right = {"address": alice.address, "signature": str(alice.key.sign_message(message.encode()))}
    assert error(bob.post("chain/wallets/", right)) == (409, "CHALLENGE_GONE")  # the challenge names Alice
    first = alice.ask("POST", "wallets/", right, status=201)
    assert error(alice.post("chain/wallets/", right)) == (409, "CHALLENGE_GONE")  # once
    assert alice.link()["account_id"] == first["account_id"]  # again changes nothing

    bob.key, bob.address = alice.key, alice.address
    stolen = bob.ask("POST", "wallets/challenge/", {"address": alice.address})["message"]
    signature = str(alice.key.sign_message(stolen.encode()))
    assert error(bob.post("chain/wallets/", {"address": alice.address, "signature": signature})) == (409, "WALLET_TAKEN")


def test_it_passes_on_only_the_persons_own_transactions(custody_desk: CustodyDesk, alice: Browser) -> None:
    funded(alice)
    bob = funded(Browser(custody_desk, "bob"))
    localnet = custody_desk.localnet
    built = alice.ask("POST", "transactions/deposit/", {"amount": "1"})["transaction"]
    unsigned = {"transaction": built}
    bobs = {"transaction": bob.signed(bob.ask("POST", "transactions/deposit/", {"amount": "1"})["transaction"])}
    stranger = localnet.signed(
        alice.key, transfer(TransferParams(from_pubkey=alice.key.pubkey(), to_pubkey=bob.key.pubkey(), lamports=SOL // 10))
    )
    broken = bytearray(base64.b64decode(alice.signed(built)))
    broken[5] ^= 1
    own, forged = ({"transaction": base64.b64encode(bytes(data)).decode()} for data in (stranger, broken))

    assert error(alice.post("chain/transactions/", unsigned)) == (400, "INVALID_TRANSACTION")
    assert error(alice.post("chain/transactions/", bobs)) == (422, "TRANSACTION_NOT_OURS")
    assert error(alice.post("chain/transactions/", forged)) == (400, "INVALID_TRANSACTION")
    assert error(alice.post("chain/transactions/", {"transaction": "!"})) == (400, "INVALID_TRANSACTION")
    assert alice.post("chain/transactions/", own).status == 200  # hers, to whom she likes


def test_it_refuses_a_deposit_of_what_is_not_there(alice: Browser) -> None:
    funded(alice)
    refused = alice.post("chain/transactions/deposit/", {"amount": "10000.000001"})
    assert error(refused) == (422, "CHAIN_SIMULATION_FAILED")


def test_it_keeps_an_address_book(custody_desk: CustodyDesk, alice: Browser) -> None:
    funded(alice)
    (usual,) = alice.ask("GET", "addresses/")["results"]
    assert usual["added_ms"] is None
    stranger = custody_desk.person("bob")
    foreign = str(stranger.wallet.token_account)
    assert error(alice.post("chain/addresses/", {"address": foreign, "label": "Bob"})) == (400, "NOT_YOUR_TOKEN_ACCOUNT")
    assert error(alice.post("chain/withdrawals/", {"amount": "1", "address": foreign})) == (404, "ADDRESS_NOT_FOUND")
    added = alice.ask("POST", "addresses/", {"address": usual["address"], "label": "savings"}, status=201)
    assert added["label"] == "savings"
    path = f"addresses/{added['address']}/"
    bob = Browser(custody_desk, "charlie")
    bob.link()
    assert error(bob.send("DELETE", f"chain/{path}")) == (404, "ADDRESS_NOT_FOUND")
    assert alice.send("DELETE", f"chain/{path}").status == 204
    assert error(alice.send("DELETE", f"chain/{path}")) == (404, "ADDRESS_NOT_FOUND")
    assert alice.ask("GET", "addresses/")["results"] == [usual]
    again = alice.ask("POST", "addresses/", {"address": usual["address"], "label": "savings"}, status=201)
    assert again["usable_ms"] > added["usable_ms"]  # its hold begins anew


def test_it_hides_withdrawals_from_others(custody_desk: CustodyDesk, alice: Browser) -> None:
    funded(alice)
    alice.do("deposit", {"amount": "100"})
    custody_desk.run()
    asked = alice.ask("POST", "withdrawals/", {"amount": "1"}, status=201)
    bob = Browser(custody_desk, "bob")
    assert error(bob.get("chain/withdrawals/")) == (404, "NO_WALLET")
    bob.link()
    assert error(bob.get(f"chain/withdrawals/{asked['withdrawal_id']}/")) == (404, "WITHDRAWAL_NOT_FOUND")
    assert bob.ask("GET", "withdrawals/")["results"] == []


def test_it_says_when_the_chain_cannot_be_reached(custody_desk: CustodyDesk, alice: Browser, settings: Any) -> None:
    funded(alice)
    settings.LOCALNET, settings.SOLANA_RPC_URL = False, f"http://127.0.0.1:{free_port()}"
    assert error(alice.get("chain/wallet/")) == (503, "CHAIN_UNAVAILABLE")


PATHS = (
    ("wallets/challenge/", ("address",)), ("wallets/", ("address", "signature")), ("faucet/", ("address",)),
    ("transactions/deposit/", ("amount",)), ("transactions/register-key/", ("key", "market", "cap", "expires_ms")),
    ("transactions/revoke-key/", ("key",)), ("transactions/withdraw/", ("withdrawal_id",)), ("transactions/request-exit/", ()),
    ("transactions/", ("transaction",)), ("withdrawals/", ("amount", "address")), ("addresses/", ("address", "label")),
)  # fmt: skip
WORDS = st.one_of(
    st.text(max_size=50),
    st.integers(min_value=-(2**70), max_value=2**70),
    st.none(),
    st.sampled_from(["11111111111111111111111111111111", "1", "0.000001", "AAAA", "9" * 30, "BTC-PERP", "é", "\x00"]),
    st.binary(max_size=300).map(lambda data: base64.b64encode(data).decode()),
)


def test_it_answers_no_input_with_a_5xx(custody_desk: CustodyDesk, alice: Browser, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"chain": (10_000, 1_000)}
    funded(alice)

    @examples(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(PATHS), st.data())
    def fuzz(target: tuple[str, tuple[str, ...]], data: st.DataObject) -> None:
        path, fields = target
        answer = alice.post(f"chain/{path}", {field: data.draw(WORDS) for field in fields})
        assert answer.status < 500, (path, answer)

    fuzz()
    for text in ("x", "1" * 88, "%00", "9" * 30, "é"):
        assert alice.get(f"chain/transactions/{text}/").status < 500
        assert alice.get(f"chain/withdrawals/{text}/").status < 500
        assert alice.send("DELETE", f"chain/addresses/{text}/").status < 500


def test_it_links_so_many_wallets_for_which_the_exchange_pays(alice: Browser, settings: Any) -> None:
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"wallets": (100, 1 / 60)}
    alice.link()
    settings.RATE_LIMITS = settings.RATE_LIMITS | {"wallets": (1, 1 / 60)}
    bob = Browser(alice.desk, "bob")
    message = bob.ask("POST", "wallets/challenge/", {"address": bob.address})["message"]
    signature = base64.b64encode(bytes(bob.key.sign_message(message.encode()))).decode()
    refused = bob.send("POST", "chain/wallets/", {"address": bob.address, "signature": signature})
    assert error(refused) == (429, "RATE_LIMITED")
