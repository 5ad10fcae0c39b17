"""The exchange as the chain shows it: phase, batches, prices, programs."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chain.client import ChainClient
from chain.deployment import Deployment
from chain.explorer.names import own_programs
from chain.idl import WrongAccount
from chain.models import OutboxAttempt, OutboxEntry, SettlementBatch
from chain.prices import feed_address, market_address
from markets.parameters import MarketParameters
from markets.stamps import at_seconds
from markets.units import QUOTE_DECIMALS, decimal_from_atoms, places

SHOWN_BATCHES = 10
PHASES = {
    "Live": "The engine matches; its batches are settled here.",
    "Fallback": "The operator is silent or late: anyone may match signed orders, liquidate and exit.",
    "Frozen": "Nobody trades any more: every account is being valued.",
    "Escaping": "Everyone takes his share out of the vault.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRow:
    symbol: str
    price: str
    average: str
    low: str
    high: str
    state: str
    published_at: datetime
    age_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRow:
    seq: int
    accounts: int
    state: str
    created_at: datetime
    transactions: list[tuple[str, str]]  # signature, address of its page


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStatus:
    phase: str
    phase_text: str
    address: str
    slot: int
    last_batch: int
    last_hash: str
    final_epoch: int
    events: int
    accounts: int
    vault: str
    owed: str
    challenges: int
    prices: list[PriceRow]
    programs: list[tuple[str, str]]


def read_status(deployment: Deployment, client: ChainClient, markets: Sequence[MarketParameters]) -> ChainStatus:
    dex = deployment.dex
    exchange = dex.read_exchange(client, commitment="confirmed")
    asset_key, vault_key = (dex.asset(deployment.usdc_mint)[name] for name in ("asset", "vault"))
    asset_account, vault = client.accounts([asset_key, vault_key], commitment="confirmed")
    asset = dex.program.account("Asset", asset_account)
    phase = type(exchange.phase).__name__
    return ChainStatus(
        phase=phase,
        phase_text=PHASES.get(phase, ""),
        address=str(dex.exchange),
        slot=client.point("confirmed").slot,
        last_batch=exchange.last_seq,
        last_hash=bytes(exchange.last_hash).hex(),
        final_epoch=exchange.final_epoch,
        events=exchange.chain_events,
        accounts=exchange.users,
        vault=_usdc(int.from_bytes(vault.data[64:72], "little") if vault else 0),
        owed=_usdc(asset.total_atoms),
        challenges=exchange.closing_challenges + exchange.open_challenges,
        prices=_prices(deployment, client, markets),
        programs=[(program.name, address) for address, program in own_programs().items()],
    )


def _usdc(atoms: int) -> str:
    return f"{decimal_from_atoms(atoms, QUOTE_DECIMALS):,.2f}"


def _prices(deployment: Deployment, client: ChainClient, markets: Sequence[MarketParameters]) -> list[PriceRow]:
    feeds = client.accounts([feed_address(deployment, market.market_id) for market in markets], commitment="confirmed")
    accounts = client.accounts([market_address(deployment, market.market_id) for market in markets], commitment="confirmed")
    rows: list[PriceRow] = []
    for market, feed, account in zip(markets, feeds, accounts, strict=True):
        try:
            rows.append(_price(market, deployment.oracle.account("Feed", feed), deployment.dex.program.account("Market", account)))
        except WrongAccount:
            continue  # a market that the engine has and the chain has not, yet
    return rows


def _price(market: MarketParameters, feed: Any, found: Any) -> PriceRow:
    age_s = max(0, int(time.time()) - feed.published_at)
    decimals = places(market.tick_e8)
    return PriceRow(
        symbol=market.symbol,
        price=_dollars(feed.price_e8, decimals),
        average=_dollars(feed.average_e8, decimals),
        low=_dollars(found.low_e8, decimals),
        high=_dollars(found.high_e8, decimals),
        state="Stale" if age_s > feed.parameters.max_age_s else type(feed.state).__name__,
        published_at=at_seconds(feed.published_at),
        age_s=age_s,
    )


def _dollars(price_e8: int, decimals: int) -> str:
    return f"{decimal_from_atoms(price_e8, 8):,.{decimals}f}"


def latest_batches(transaction_url: Callable[[str], str], *, final_epoch: int) -> list[BatchRow]:
    """Return the newest batches, each with the transactions that brought it on chain."""
    batches = list(SettlementBatch.objects.select_related("entry").order_by("-seq")[:SHOWN_BATCHES])
    attempts = OutboxAttempt.objects.filter(entry__in=[batch.entry_id for batch in batches], state=OutboxAttempt.State.FINAL).order_by("id")
    found: dict[int, list[tuple[str, str]]] = {}
    for entry_id, signature in attempts.values_list("entry_id", "signature"):
        found.setdefault(entry_id, []).append((signature, transaction_url(signature)))
    return [
        BatchRow(
            seq=batch.seq,
            accounts=batch.accounts,
            state=_state(batch, final_epoch),
            created_at=batch.created_at,
            transactions=found.get(batch.entry_id, []),
        )
        for batch in batches
    ]


def _state(batch: SettlementBatch, final_epoch: int) -> str:
    """Say how far a batch has come: on chain it is final only when nobody can challenge it any more."""
    if batch.entry.state != OutboxEntry.State.FINAL:
        return "Halted" if batch.entry.state == OutboxEntry.State.QUARANTINED else "On its way"
    return "Final" if batch.epoch is not None and batch.epoch <= final_epoch else "Can be challenged"
