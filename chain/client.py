"""A thin, typed client of a Solana node over solana-py: timeouts, retries of what may be asked again, errors as DomainErrors."""

import itertools
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeVar

import httpx
from solana.exceptions import SolanaRpcException
from solana.rpc.api import Client
from solana.rpc.commitment import Commitment as RpcCommitment
from solana.rpc.core import RPCException
from solana.rpc.providers.http import HTTPProvider
from solana.rpc.types import MemcmpOpts, TxOpts
from solders.account import Account
from solders.account_decoder import UiAccountEncoding
from solders.commitment_config import CommitmentLevel
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.rpc.config import RpcAccountInfoConfig
from solders.rpc.requests import GetAccountInfo
from solders.rpc.responses import GetAccountInfoResp, GetLatestBlockhashResp, GetMultipleAccountsResp, GetSignatureStatusesResp
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_status import TransactionConfirmationStatus, TransactionErrorInstructionError

from chain import base58
from chain.errors import ChainRefused, ChainUnavailable, reason

Commitment = Literal["processed", "confirmed", "finalized"]
T = TypeVar("T")
TIMEOUT_S = 10.0
RETRY_AFTER_S = (0.1, 0.3, 1.0)
PASSING = frozenset({-32004, -32005, -32014, -32016})  # the node is behind: the same question can be asked again
INTERNAL_ERROR = -32603
FEE_PERCENTILE = 75
MAX_ACCOUNTS = 100  # of one call
LEVELS = {
    "processed": CommitmentLevel.Processed,
    "confirmed": CommitmentLevel.Confirmed,
    "finalized": CommitmentLevel.Finalized,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Blockhash:
    value: Hash
    last_valid_block_height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where the chain is."""

    slot: int
    block_height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A transaction that landed. `error` None when it did what it should."""

    slot: int
    commitment: Commitment
    error: str | None
    confirmations: int | None = None  # blocks on top of it; None once it is finalized


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """A transaction in an address's history."""

    signature: str
    slot: int
    failed: bool
    time_s: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    error: str | None
    deterministic: bool
    units: int
    logs: list[str]


@cache
def _tls() -> ssl.SSLContext:
    """Return what checks a node's certificate, read once: the authorities take a megabyte and 27 ms, and every task has a client."""
    return httpx.create_ssl_context()


class _Provider(HTTPProvider):
    def __init__(self, url: str, *, timeout_s: float) -> None:
        super(HTTPProvider, self).__init__(url, None)  # its own would make a session with another context
        self.session = httpx.Client(timeout=timeout_s, verify=_tls())


class _Rpc(Client):
    def __init__(self, url: str, *, timeout_s: float) -> None:
        super(Client, self).__init__(RpcCommitment("finalized"))
        self._provider = _Provider(url, timeout_s=timeout_s)


class ChainClient:
    """One node. Reads are tried again; sending is not, the outbox decides about that."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S, retry_after_s: Iterable[float] = RETRY_AFTER_S) -> None:
        self._rpc = _Rpc(url, timeout_s=timeout_s)
        self._url = url
        self._http = self._rpc._provider.session
        self._retry_after_s = tuple(retry_after_s)
        self._numbers = itertools.count(1)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> "ChainClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def genesis_hash(self) -> Hash:
        return self._read(lambda: self._rpc.get_genesis_hash().value)

    def blockhash(self, commitment: Commitment = "confirmed", *, min_slot: int = 0) -> Blockhash:
        """Return a blockhash to sign with, of a block at or after `min_slot`: no fork without that block takes it."""

        def ask() -> GetLatestBlockhashResp:
            answer = self._rpc.get_latest_blockhash(RpcCommitment(commitment))
            _check_slot(answer.context.slot, min_slot)
            return answer

        value = self._read(ask).value
        return Blockhash(value=value.blockhash, last_valid_block_height=value.last_valid_block_height)

    def point(self, commitment: Commitment) -> Point:
        info = self._read(lambda: self._rpc.get_epoch_info(RpcCommitment(commitment)).value)
        return Point(slot=info.absolute_slot, block_height=info.block_height)

    def block_time_s(self, slot: int) -> int:
        """Return when a block was made."""
        made = self._read(lambda: self._rpc.get_block_time(slot).value)
        if made is None:
            raise ChainUnavailable("The node does not know the time of this block.")
        return made

    def account(self, key: Pubkey, *, commitment: Commitment, min_slot: int | None = None) -> Account | None:
        """`min_slot`: refuse a node that has not come so far, after trying again."""
        return self.account_and_slot(key, commitment=commitment, min_slot=min_slot)[0]

    def account_and_slot(self, key: Pubkey, *, commitment: Commitment, min_slot: int | None = None) -> tuple[Account | None, int]:
        """Return the account, and the slot that it was read at."""
        config = RpcAccountInfoConfig(encoding=UiAccountEncoding.Base64, commitment=LEVELS[commitment], min_context_slot=min_slot)
        answer = self._read(lambda: self._rpc._provider.make_request(GetAccountInfo(key, config), GetAccountInfoResp))
        return answer.value, answer.context.slot

    def balance(self, key: Pubkey) -> int:
        """Return confirmed lamports."""
        return self._read(lambda: self._rpc.get_balance(key, RpcCommitment("confirmed")).value)

    def rent(self, size_bytes: int) -> int:
        """Return the lamports with which an account of this size is kept."""
        return self._read(lambda: self._rpc.get_minimum_balance_for_rent_exemption(size_bytes).value)

    def accounts(self, keys: list[Pubkey], *, commitment: Commitment, min_slot: int = 0) -> list[Account | None]:
        """Read many accounts, a hundred at a time; each hundred as of one slot."""
        found: list[Account | None] = []
        for start in range(0, len(keys), MAX_ACCOUNTS):
            some = keys[start : start + MAX_ACCOUNTS]

            def ask(some: list[Pubkey] = some) -> GetMultipleAccountsResp:
                answer = self._rpc.get_multiple_accounts(some, RpcCommitment(commitment))
                _check_slot(answer.context.slot, min_slot)
                return answer

            found += self._read(ask).value
        return found

    def owned(self, program: Pubkey, content: bytes, *, commitment: Commitment, at: int = 0) -> list[tuple[Pubkey, Account]]:
        """Return every account of a program that has these bytes at a place: at its beginning, what kind of account it is."""
        filters = [MemcmpOpts(offset=at, bytes=base58.encode(content))]
        found = self._read(lambda: self._rpc.get_program_accounts(program, RpcCommitment(commitment), "base64", filters=filters).value)
        return [(one.pubkey, one.account) for one in found]

    def status(self, signature: Signature, *, min_slot: int = 0) -> Status | None:
        """Look through the whole history of a node that has come to `min_slot`."""

        def ask() -> GetSignatureStatusesResp:
            answer = self._rpc.get_signature_statuses([signature], search_transaction_history=True)
            _check_slot(answer.context.slot, min_slot)
            return answer

        found = self._read(ask).value[0]
        if found is None:
            return None
        error = None if found.err is None else reason(found.err)
        commitment = _commitment(found.confirmation_status)
        return Status(slot=found.slot, commitment=commitment, error=error, confirmations=found.confirmations)

    def history(self, address: Pubkey, *, before: str | None, until: str | None, min_slot: int) -> list[Landed]:
        """Return a page of an address's finalized transactions, newest first: from before `before` back to `until`, both left out."""
        config: dict[str, Any] = {"commitment": "finalized", "minContextSlot": min_slot}
        config |= {"before": before} if before else {}
        config |= {"until": until} if until else {}
        rows = self._read(lambda: self._call("getSignaturesForAddress", str(address), config))
        return [
            Landed(signature=row["signature"], slot=row["slot"], failed=row["err"] is not None, time_s=row.get("blockTime")) for row in rows
        ]

    def transaction(self, signature: str, commitment: Literal["confirmed", "finalized"] = "finalized") -> dict[str, Any] | None:
        """Return a transaction as the node tells it, or None when it does not have it."""
        config = {"commitment": commitment, "encoding": "json", "maxSupportedTransactionVersion": 1}
        found = self._read(lambda: self._call("getTransaction", signature, config))
        return dict(found) if found is not None else None

    def airdrop(self, address: Pubkey, lamports: int) -> Signature:
        """Ask a test cluster for SOL."""
        return self._once(lambda: self._rpc.request_airdrop(address, lamports).value)

    def simulate(self, transaction: VersionedTransaction, *, commitment: Commitment = "confirmed", verify: bool = True) -> Simulation:
        """`verify`: also check the signatures; what is yet to be signed has none."""
        value = self._read(
            lambda: self._rpc.simulate_transaction(transaction, sig_verify=verify, commitment=RpcCommitment(commitment)).value
        )
        return Simulation(
            error=None if value.err is None else reason(value.err),
            deterministic=isinstance(value.err, TransactionErrorInstructionError),
            units=value.units_consumed or 0,
            logs=list(value.logs or []),
        )

    def send(self, transaction: bytes) -> None:
        """Pass a signed transaction on, once, unchecked: it was simulated before, and its status tells what became of it."""
        options = TxOpts(skip_preflight=True, max_retries=0)
        self._once(lambda: self._rpc.send_raw_transaction(transaction, options))

    def unit_price(self, writable: list[Pubkey]) -> int:
        """Return what others lately paid for writing these accounts, in micro-lamports: of recent blocks the upper quarter's edge."""
        fees = sorted(
            int(one["prioritizationFee"]) for one in self._read(lambda: self._call("getRecentPrioritizationFees", _texts(writable)))
        )
        return fees[(len(fees) - 1) * FEE_PERCENTILE // 100] if fees else 0

    def _read(self, ask: Callable[[], T]) -> T:
        for wait_s in self._retry_after_s:
            try:
                return self._once(ask)
            except ChainUnavailable:
                time.sleep(wait_s)
        return self._once(ask)

    def _once(self, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except (SolanaRpcException, httpx.HTTPError) as error:
            raise ChainUnavailable from error
        except RPCException as error:
            raise _refused(error) from error
        except ValueError as error:  # an answer that is no JSON-RPC, as proxies give
            raise ChainUnavailable from error
        except BaseException as error:
            # solders panics over answers that lack a field, and a panic is no Exception.
            if type(error).__name__ != "PanicException":
                raise
            raise ChainUnavailable from error

    def _call(self, method: str, *params: Any) -> Any:
        """Call what solana-py has no method for."""
        body = {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": params}
        answer = self._http.post(self._url, json=body).raise_for_status().json()
        if "error" in answer:
            raise _refusal(answer["error"]["code"], answer["error"]["message"])
        return answer["result"]


def _check_slot(slot: int, min_slot: int) -> None:
    """Refuse, to be asked again, what a node says that has not come as far as another."""
    if slot < min_slot:
        raise ChainUnavailable("The node is behind what another one has told.")


def _commitment(status: TransactionConfirmationStatus | None) -> Commitment:
    if status == TransactionConfirmationStatus.Processed:
        return "processed"
    return "confirmed" if status == TransactionConfirmationStatus.Confirmed else "finalized"


def _texts(keys: list[Pubkey]) -> list[str]:
    return [str(key) for key in keys]


def _refused(error: RPCException) -> ChainUnavailable | ChainRefused:
    failure = error.args[0]
    code = CODES.get(type(failure).__name__, INTERNAL_ERROR)
    return _refusal(code, getattr(failure, "message", str(failure)))


def _refusal(code: int, message: str) -> ChainUnavailable | ChainRefused:
    return ChainUnavailable(message) if code in PASSING else ChainRefused(message, rpc_code=code)


# solders names its classes after the codes, and keeps the numbers to itself.
CODES = {
    "SendTransactionPreflightFailureMessage": -32002,
    "BlockNotAvailableMessage": -32004,
    "NodeUnhealthyMessage": -32005,
    "BlockStatusNotAvailableYetMessage": -32014,
    "UnsupportedTransactionVersionMessage": -32015,
    "MinContextSlotNotReachedMessage": -32016,
    "InvalidRequestMessage": -32600,
    "MethodNotFoundMessage": -32601,
    "InvalidParamsMessage": -32602,
    "InternalErrorMessage": INTERNAL_ERROR,
    "ParseErrorMessage": -32700,
}
