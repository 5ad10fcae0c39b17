"""A localnet in a thread of this process: real sockets outside, the chain and its faults in the test's hands.

def test_it_…(localnet): …     # localnet.client: solana-py; localnet.advance(1): a block
"""

import asyncio
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

import pytest
import uvicorn
from solana.rpc.api import Client
from solana.rpc.commitment import Commitment
from solana.rpc.types import TxOpts
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from chain.localnet.application import Application
from chain.localnet.chain import Chain
from chain.localnet.journal import Journal
from chain.localnet.server import keep_time, listen

T = TypeVar("T")
PROCESSED, CONFIRMED, FINALIZED = Commitment("processed"), Commitment("confirmed"), Commitment("finalized")
UNCHECKED = TxOpts(skip_preflight=True, max_retries=0)
FINAL_AFTER = 4
SOL = 10**9

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # solana-py still builds on websockets' older API
    from solana.rpc.websocket_api import SolanaWsClientProtocol, connect

__all__ = ["SolanaWsClientProtocol", "connect", "localnet"]


class Localnet:
    """Blocks are sealed by the test; FINAL_AFTER of them make one final."""

    def __init__(self, journal: Path | None = None, programs: Path | None = None) -> None:
        self._journal, self._programs = journal, programs
        self._sockets = _two_neighbours()
        self.port: int = self._sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket_url = f"ws://127.0.0.1:{self.port + 1}"
        self.client = Client(self.url, commitment=PROCESSED)
        self._run(Chain(journal=Journal(self._journal), programs=self._programs, finalized_depth=FINAL_AFTER))

    def _run(self, chain: Chain) -> None:
        self.chain = chain
        self.faults = chain.faults
        self._loop = asyncio.new_event_loop()
        config = uvicorn.Config(Application(chain), ws="websockets-sansio", lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.client.is_connected()  # waits in the port's queue until the thread serves

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._server._serve([one.dup() for one in self._sockets]))

    def do(self, action: Callable[[], T]) -> T:
        """Have the server's thread do something between two requests."""
        done: Future[T] = Future()

        def act() -> None:
            try:
                done.set_result(action())
            except BaseException as error:
                done.set_exception(error)

        self._loop.call_soon_threadsafe(act)
        return done.result(timeout=30)

    def advance(self, blocks: int = 1) -> None:
        self.do(lambda: self.chain.advance(blocks))

    def finalize(self) -> None:
        self.advance(FINAL_AFTER)

    def fork(self, blocks: int, *, returns: bool = False) -> None:
        self.do(lambda: self.chain.fork(blocks=blocks, returns=returns))

    def tick(self, *, slot_ms: int) -> Callable[[], None]:
        """Seal blocks by the clock until the returned function is called."""
        clock = self.do(lambda: self._loop.create_task(keep_time(self.chain, slot_ms)))

        def stop() -> None:
            self.do(clock.cancel)

        return stop

    def restart(self, *, cleanly: bool = True) -> None:
        """Stop, with or without keeping the open block, and start again from the journal."""
        self._stop()
        if cleanly:
            self.chain.close()
        self.chain.journal.close()
        self._run(Chain(journal=Journal(self._journal), programs=self._programs, finalized_depth=FINAL_AFTER))

    def end(self) -> None:
        self._stop()
        self.chain.close()
        self.client._provider.session.close()
        for one in self._sockets:
            one.close()

    def _stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=30)

    # Shortcuts of tests

    def blockhash(self) -> Hash:
        return self.client.get_latest_blockhash(PROCESSED).value.blockhash

    def rich(self) -> Keypair:
        """Return a new key with 100 SOL, already final."""
        key = Keypair()
        self.client.request_airdrop(key.pubkey(), 100 * SOL)
        self.finalize()
        return key

    def signed(
        self, payer: Keypair, *instructions: Instruction, blockhash: Hash | None = None, others: tuple[Keypair, ...] = ()
    ) -> VersionedTransaction:
        message = MessageV0.try_compile(payer.pubkey(), list(instructions), [], blockhash or self.blockhash())
        return VersionedTransaction(message, [payer, *others])

    def pay(self, payer: Keypair, receiver: Pubkey, lamports: int, options: TxOpts = UNCHECKED) -> Signature:
        return self.client.send_raw_transaction(bytes(self.signed(payer, pays(payer, receiver, lamports))), options).value

    def balance(self, key: Pubkey, commitment: Commitment = PROCESSED) -> int:
        return self.client.get_balance(key, commitment).value


def pays(payer: Keypair, receiver: Pubkey, lamports: int) -> Instruction:
    return transfer(TransferParams(from_pubkey=payer.pubkey(), to_pubkey=receiver, lamports=lamports))


def free_port() -> int:
    """Return a port that is free, as is the next."""
    sockets = _two_neighbours()
    port: int = sockets[0].getsockname()[1]
    for one in sockets:
        one.close()
    return port


def _two_neighbours() -> list[socket.socket]:
    for _ in range(100):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        try:
            return listen("127.0.0.1", port)
        except OSError:
            continue
    raise AssertionError("no two free ports")


@pytest.fixture
def localnet() -> Iterator[Localnet]:
    net = Localnet()
    yield net
    net.end()
