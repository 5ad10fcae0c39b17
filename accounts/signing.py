"""Whether a signed order is its account's: of this exchange on its cluster, by a registered key, within what the key may sign.

What the engine can tell by itself (does the order allow the command, was it used before) the engine decides.
"""

import time
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec
from django.conf import settings
from django.db import close_old_connections
from solders.hash import Hash, ParseHashError
from solders.pubkey import Pubkey

from accounts.models import TradingKey
from markets.errors import DomainError
from markets.fields import InvalidField
from markets.parameters import MarketParameters
from markets.signed_orders import SIGNED_BYTES, Domain, OrderMalformed, SignedOrder, decode, take_apart, verify
from markets.stamps import ms
from markets.units import tick_lot_atoms

CACHE_SECONDS = 2.0
CACHED_KEYS = 10_000

Fault = Literal[
    "OtherDomain", "OtherMarket", "OtherAccount", "BadSignature", "KeyUnknown", "KeyRevoked", "KeyExpired", "KeyScope", "AboveKeyCap",
    "OutlivesKey", "ClosingOnly",
]  # fmt: skip
WORDS: dict[Fault, str] = {
    "OtherDomain": "it names another exchange or another cluster",
    "OtherMarket": "it names another market",
    "OtherAccount": "it names another account",
    "BadSignature": "the signature is not that of its key over these bytes",
    "KeyUnknown": "its key is not registered for this account",
    "KeyRevoked": "its key is revoked",
    "KeyExpired": "its key has expired, or is not valid yet",
    "KeyScope": "its key may not sign for this market",
    "AboveKeyCap": "it is worth more at its limit than its key may sign for",
    "OutlivesKey": "it expires after its key does",
    "ClosingOnly": "its owner asked for an exit, so only reduce-only orders are taken",
}


class SigningOff(DomainError):
    code = "CHAIN_OFF"
    status = 404
    message = "This exchange runs without a chain, and takes no signed orders."


class SignatureInvalid(InvalidField):
    """A signed order that its account's owner did not sign so. `rule` names what is wrong with it."""

    def __init__(self, rule: Fault) -> None:
        super().__init__("SIGNATURE_INVALID", f"The signed order is refused: {WORDS[rule]}.", field="signed", rule=rule)


class KnownKey(NamedTuple):
    """A registered key as it is cached; times in milliseconds since 1970, 0 for not revoked."""

    owner: bytes
    market_id: int | None
    cap_atoms: int
    created_ms: int
    expires_ms: int
    revoked_ms: int
    closing_only: bool


class Deployed(msgspec.Struct, frozen=True):
    """What signed orders need of deployment.json; the rest is the chain's own (chain.deployment)."""

    genesis_hash: str
    programs: dict[str, str]


_domains: dict[Path, tuple[tuple[int, int], Domain]] = {}
_keys: dict[tuple[int, bytes], tuple[float, KnownKey | None]] = {}


def domain() -> Domain:
    """Return what signed orders name as this exchange; read again when the file changes. SigningOff without a chain."""
    path = settings.CHAIN_DIR / "deployment.json"
    try:
        status = path.stat()
    except OSError as error:
        raise SigningOff from error
    version = (status.st_ino, status.st_mtime_ns)
    known = _domains.get(path)
    if known is None or known[0] != version:
        known = _domains[path] = (version, _read_domain(path))
    return known[1]


def check(signed: bytes, *, account_id: int, market: MarketParameters) -> None:
    """Raise why a signed order is not the account's to give."""
    try:
        parts = take_apart(signed)
        order = decode(parts.data)
    except OrderMalformed as error:
        raise InvalidField(error.code, error.message, field="signed", rule=error.rule) from error
    fault = _order_fault(order, market) or _key_fault(order, market, _known(account_id, parts.key))
    if fault is None and not verify(parts.data, signature=parts.signature, public_key=parts.key):
        fault = "BadSignature"
    if fault is not None:
        raise SignatureInvalid(fault)


def is_cached(signed: bytes, account_id: int) -> bool:
    """Tell whether `check` would not ask the database: an event loop leaves to a thread what would."""
    if len(signed) != SIGNED_BYTES:
        return True
    found = _keys.get((account_id, take_apart(signed).key))
    return found is not None and time.monotonic() - found[0] < CACHE_SECONDS


def check_in_thread(signed: bytes, *, account_id: int, market: MarketParameters) -> None:
    close_old_connections()
    check(signed, account_id=account_id, market=market)


def forget(account_id: int | None = None, key: bytes = b"") -> None:
    """Drop one cached key, or all: revoked here, it stops here at once. Elsewhere within two seconds, and in the engine at once."""
    if account_id is None:
        _keys.clear()
    else:
        _keys.pop((account_id, key), None)


def _order_fault(order: SignedOrder, market: MarketParameters) -> Fault | None:
    if order.domain != domain():
        return "OtherDomain"
    return "OtherMarket" if order.market_id != market.market_id else None


def _key_fault(order: SignedOrder, market: MarketParameters, key: KnownKey | None) -> Fault | None:
    now_ms = time.time_ns() // 1_000_000
    if key is None:
        return "KeyUnknown"
    if key.revoked_ms:
        return "KeyRevoked"
    if not key.created_ms <= now_ms < key.expires_ms:
        return "KeyExpired"
    if (order.owner, order.sub_account) != (key.owner, 0):
        return "OtherAccount"
    if key.market_id not in {None, market.market_id}:
        return "KeyScope"
    if order.size_lots * order.limit_ticks * tick_lot_atoms(tick_e8=market.tick_e8, lot_e8=market.lot_e8) > key.cap_atoms:
        return "AboveKeyCap"
    if order.expiry_ms > key.expires_ms:
        return "OutlivesKey"
    return "ClosingOnly" if key.closing_only and not order.reduce_only else None


def _known(account_id: int, key: bytes) -> KnownKey | None:
    found = _keys.get((account_id, key))
    if found is None or time.monotonic() - found[0] >= CACHE_SECONDS:
        found = _read_key(account_id, key)
    return found[1]


def _read_key(account_id: int, key: bytes) -> tuple[float, KnownKey | None]:
    read_at = time.monotonic()  # taken before the query, so that a revocation during it is not missed for longer
    row = TradingKey.objects.filter(account_id=account_id, key=str(Pubkey.from_bytes(key))).first()
    if len(_keys) >= CACHED_KEYS:
        _keys.clear()
    _keys[account_id, key] = found = (read_at, _known_key(row) if row else None)
    return found


def _known_key(row: TradingKey) -> KnownKey:
    return KnownKey(
        owner=bytes(Pubkey.from_string(row.owner)),
        market_id=row.market_id,
        cap_atoms=int(row.cap_atoms),
        created_ms=ms(row.created_at),
        expires_ms=ms(row.expires_at),
        revoked_ms=ms(row.revoked_at) if row.revoked_at else 0,
        closing_only=row.closing_only,
    )


def _read_domain(path: Path) -> Domain:
    """Read the file; one that is no deployment is as good as none, and the chain's own reader says what is wrong with it."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Deployed)
        program, genesis_hash = Pubkey.from_string(found.programs["perp_dex"]), Hash.from_string(found.genesis_hash)
    except (msgspec.DecodeError, KeyError, ValueError, ParseHashError) as error:
        raise SigningOff from error
    return Domain(program=bytes(program), genesis_hash=bytes(genesis_hash))
