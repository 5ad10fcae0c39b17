"""Methods that look up what landed."""

from itertools import islice
from typing import Any

from solders.signature import Signature

from chain.localnet.chain import Chain, Commitment
from chain.localnet.encoding import TRANSACTION_ENCODINGS, error_status, transaction_json
from chain.localnet.errors import invalid_params
from chain.localnet.history import RECENT_BLOCKS, Landed
from chain.localnet.methods.method import Method, in_context, view
from chain.localnet.params import Config, Json, Params, as_signature

MAX_STATUSES = 256
MAX_SIGNATURES = 1_000


def get_signature_statuses(chain: Chain, params: Params) -> Json:
    deep = params.config(1).flag("searchTransactionHistory")
    found = [_status(chain, as_signature(text), deep=deep) for text in params.items(0, MAX_STATUSES)]
    return in_context(chain, "processed", found)


def get_signatures_for_address(chain: Chain, params: Params) -> list[Json]:
    """Return newest first, from before `before` back to `until`, both left out."""
    config = params.config(1)
    commitment = _stored(chain, config)
    seen = chain.at(commitment).slot
    limit = config.number("limit") or MAX_SIGNATURES
    if limit > MAX_SIGNATURES:
        raise invalid_params(f"Invalid limit; max {MAX_SIGNATURES}")
    newest_first = _between(list(reversed(chain.history.of_address(params.key(0)))), config)
    landed = ((signature, chain.history.get(signature)) for signature in newest_first)
    seen_ones = ((signature, one) for signature, one in landed if one is not None and one.slot <= seen)
    return [
        {
            "signature": str(signature),
            "slot": one.slot,
            "err": one.error,
            "memo": None,
            "blockTime": one.time_s,
            "confirmationStatus": _confirmation(chain, one),
        }
        for signature, one in islice(seen_ones, limit)
    ]


def get_transaction(chain: Chain, params: Params) -> Json | None:
    config = Config({"encoding": params.raw(1)}) if isinstance(params.raw(1), str) else params.config(1)
    commitment = _stored(chain, config)
    encoding = config.text("encoding", "json", among=TRANSACTION_ENCODINGS)
    landed = chain.history.get(as_signature(params.raw(0)))
    if landed is None or landed.slot > chain.at(commitment).slot:
        return None
    return transaction_json(chain, landed, encoding=encoding, max_version=config.number("maxSupportedTransactionVersion"))


def _stored(chain: Chain, config: Config) -> Commitment:
    """History is only told of blocks that are at least confirmed."""
    commitment = view(chain, config)
    if commitment == "processed":
        raise invalid_params("Method does not support commitment below `confirmed`")
    return commitment


def _status(chain: Chain, signature: Signature, *, deep: bool) -> Json | None:
    landed = chain.history.get(signature)
    if landed is None or (not deep and chain.open.height - landed.height > RECENT_BLOCKS):
        return None
    confirmation = _confirmation(chain, landed)
    return {
        "slot": landed.slot,
        "confirmations": None if confirmation == "finalized" else chain.open.height - landed.height,
        "err": landed.error,
        "status": error_status(landed.error),
        "confirmationStatus": confirmation,
    }


def _confirmation(chain: Chain, landed: Landed) -> Commitment:
    if landed.slot <= chain.at("finalized").slot:
        return "finalized"
    return "confirmed" if landed.slot <= chain.at("confirmed").slot else "processed"


def _between(signatures: list[Signature], config: Config) -> list[Signature]:
    before, until = config.values.get("before"), config.values.get("until")
    if before is not None:
        signatures = _after(signatures, as_signature(before))
    if until is not None:
        last: Any = as_signature(until)
        signatures = signatures[: signatures.index(last)] if last in signatures else signatures
    return signatures


def _after(signatures: list[Signature], mark: Signature) -> list[Signature]:
    return signatures[signatures.index(mark) + 1 :] if mark in signatures else []


METHODS: dict[str, Method] = {
    "getSignatureStatuses": get_signature_statuses,
    "getSignaturesForAddress": get_signatures_for_address,
    "getTransaction": get_transaction,
}
