"""The localnet as a server: the application on a port, and on the next one, where clients look for the websocket; blocks by a clock."""

import asyncio
import socket
from contextlib import suppress

import structlog
import uvicorn

from chain.localnet.application import Application
from chain.localnet.chain import Chain

log = structlog.get_logger("localnet")


def listen(host: str, port: int) -> list[socket.socket]:
    """Return sockets that listen on the port and the next."""
    first = _listener(host, port)
    try:
        return [first, _listener(host, first.getsockname()[1] + 1)]
    except OSError:
        first.close()
        raise


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.create_server((host, port), backlog=1024)
    # Connections inherit it. asyncio leaves it out for sockets made without naming TCP, and each answer would wait 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


async def serve(chain: Chain, *, sockets: list[socket.socket], slot_ms: int | None) -> None:
    """Serve until cancelled or told to end by a signal. Without `slot_ms`, blocks are sealed by whoever holds the chain."""
    config = uvicorn.Config(
        Application(chain),
        http="httptools",
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    clock = asyncio.create_task(keep_time(chain, slot_ms)) if slot_ms else None
    log.info("localnet_serving", port=sockets[0].getsockname()[1], genesis=str(chain.genesis_hash), programs=sorted(chain.programs))
    try:
        await uvicorn.Server(config).serve(sockets=sockets)
    finally:
        if clock is not None:
            clock.cancel()
            with suppress(asyncio.CancelledError):
                await clock
        chain.close()


async def keep_time(chain: Chain, slot_ms: int) -> None:
    """Seal a block every `slot_ms`. After a pause of the process, time goes on from there: no blocks are made up."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due = max(due + slot_ms / 1_000, loop.time())
        await asyncio.sleep(due - loop.time())
        chain.seal()
