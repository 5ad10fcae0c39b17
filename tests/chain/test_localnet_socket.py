"""Subscriptions over the websocket, with solana-py as the client."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from solders.keypair import Keypair
from solders.rpc.config import RpcTransactionLogsFilter, RpcTransactionLogsFilterMentions
from solders.rpc.responses import SubscriptionResult
from spl.token.constants import TOKEN_PROGRAM_ID

from tests.chain.localnets import CONFIRMED, FINALIZED, PROCESSED, SOL, Localnet, SolanaWsClientProtocol, connect, localnet
from tests.chain.minting import Mint

__all__ = ["localnet"]


@pytest.fixture
async def socket(localnet: Localnet) -> AsyncIterator[SolanaWsClientProtocol]:
    async with connect(localnet.socket_url) as socket:
        yield socket


async def test_it_tells_an_accounts_changes_at_its_commitment(localnet: Localnet, socket: SolanaWsClientProtocol) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    await socket.account_subscribe(bob, PROCESSED, "base64")
    number = await subscribed(socket)
    await socket.account_subscribe(bob, FINALIZED, "base64")
    final_number = await subscribed(socket)

    localnet.pay(alice, bob, SOL)
    first = await heard(socket)
    localnet.pay(alice, bob, 2 * SOL)
    second = await heard(socket)
    localnet.finalize()
    final = await heard(socket)

    assert [(one.subscription, one.result.value.lamports) for one in (first, second, final)] == [
        (number, SOL),
        (number, 3 * SOL),
        (final_number, 3 * SOL),
    ]


@pytest.mark.parametrize(("commitment", "blocks"), [(PROCESSED, 0), (CONFIRMED, 1), (FINALIZED, 4)])
async def test_it_tells_once_when_a_transaction_is_there(
    localnet: Localnet, socket: SolanaWsClientProtocol, commitment: Any, blocks: int
) -> None:
    alice = localnet.rich()
    transaction = localnet.signed(alice)
    await socket.signature_subscribe(transaction.signatures[0], commitment)
    number = await subscribed(socket)

    localnet.client.send_raw_transaction(bytes(transaction))
    localnet.advance(blocks)
    notification = await heard(socket)

    assert notification.subscription == number
    assert notification.result.value.err is None
    assert (await ask(socket, "signatureUnsubscribe", number))["error"]["code"] == -32602  # it is over already


async def test_it_tells_at_once_of_a_transaction_that_is_there_already(localnet: Localnet, socket: SolanaWsClientProtocol) -> None:
    alice = localnet.rich()
    signature = localnet.pay(alice, Keypair().pubkey(), 1_000 * SOL)

    await socket.signature_subscribe(signature, PROCESSED)
    await subscribed(socket)

    assert (await heard(socket)).result.value.err is not None


async def test_it_tells_logs_that_mention_an_address(localnet: Localnet, socket: SolanaWsClientProtocol) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    await socket.logs_subscribe(RpcTransactionLogsFilterMentions(bob), PROCESSED)
    await subscribed(socket)

    localnet.pay(alice, Keypair().pubkey(), SOL)
    signature = localnet.pay(alice, bob, SOL)
    notification = await heard(socket)

    assert notification.result.value.signature == signature
    assert notification.result.value.logs[-1] == "Program 11111111111111111111111111111111 success"


async def test_it_tells_all_logs(localnet: Localnet, socket: SolanaWsClientProtocol) -> None:
    alice = localnet.rich()
    await socket.logs_subscribe(RpcTransactionLogsFilter.All, CONFIRMED)
    await subscribed(socket)

    signature = localnet.pay(alice, Keypair().pubkey(), SOL)
    localnet.advance()

    assert (await heard(socket)).result.value.signature == signature


async def test_it_tells_slots(localnet: Localnet, socket: SolanaWsClientProtocol) -> None:
    localnet.advance(10)
    await socket.slot_subscribe()
    await subscribed(socket)

    localnet.advance()
    told = (await heard(socket)).result

    assert told.slot == told.parent + 1 == localnet.chain.open.slot
    assert told.root == told.slot - 4


async def test_it_tells_a_programs_accounts(localnet: Localnet, socket: SolanaWsClientProtocol) -> None:
    alice = localnet.rich()
    await socket.program_subscribe(TOKEN_PROGRAM_ID, PROCESSED, "base64", filters=[165])
    await subscribed(socket)

    account = Mint(localnet, alice).open(alice.pubkey())

    assert (await heard(socket)).result.value.pubkey == account


async def test_it_stops_telling_after_an_unsubscribe(localnet: Localnet, socket: SolanaWsClientProtocol) -> None:
    alice, bob = localnet.rich(), Keypair().pubkey()
    await socket.account_subscribe(bob, PROCESSED, "base64")
    number = await subscribed(socket)

    await socket.account_unsubscribe(number)
    ended = (await socket.recv())[0]
    localnet.pay(alice, bob, SOL)
    await socket.slot_subscribe()

    assert ended.result is True
    assert await subscribed(socket) == number + 1


async def test_it_refuses_a_malformed_subscription_and_goes_on(localnet: Localnet, socket: SolanaWsClientProtocol) -> None:
    refused = await ask(socket, "accountSubscribe", "?")

    await socket.slot_subscribe()

    assert refused["error"]["code"] == -32602
    assert await subscribed(socket) > 0


async def subscribed(socket: SolanaWsClientProtocol) -> int:
    (answer,) = await asyncio.wait_for(socket.recv(), 60)
    assert isinstance(answer, SubscriptionResult)
    return answer.result


async def ask(socket: SolanaWsClientProtocol, method: str, *params: Any) -> Any:
    """Call a method past solana-py, which keeps errors to itself."""
    await socket.send(json.dumps({"jsonrpc": "2.0", "id": 5, "method": method, "params": params}))
    return json.loads(await asyncio.wait_for(super(SolanaWsClientProtocol, socket).recv(), 60))


async def heard(socket: SolanaWsClientProtocol) -> Any:
    (notification,) = await asyncio.wait_for(socket.recv(), 60)
    return notification
