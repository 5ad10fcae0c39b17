"""Proofs of trades, and the batches that they are in."""

import base64
from typing import Annotated, Any

import msgspec
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.authentication import MayUse, account_id
from accounts.models import User
from chain import merkle
from chain.api.wallets import READ_ERRORS, TAG
from chain.deployment import deployment
from chain.settlement.leaves import Leaf, LeafFill
from chain.settlement.models import SettlementBatch
from chain.settlement.proofs import BatchNotFound, KeyOnChain, ProofNotFound, TradeProof, batch_of, on_chain, proof_of, transactions_of
from markets.api.documentation import PUBLIC_READ_ERRORS, operation
from markets.api.pages import Page, PageQuery, page_of, read_cursor
from markets.api.requests import query
from markets.api.schemas import NoQuery
from markets.api.views import PublicView
from markets.fields import whole_number

Hex = Annotated[str, msgspec.Meta(description="In hexadecimal.")]
Whole = Annotated[str, msgspec.Meta(description="A whole number, as text: it may have 64 bits.")]
Sum = Annotated[tuple[int, Whole], msgspec.Meta(description="Slot and amount: assets by index, positions by market + 2^31.")]


class ProofQuery(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    account_id: Annotated[int, msgspec.Meta(ge=1, description="Which of your accounts; the active one without it.")] | None = None


class ShownTransaction(msgspec.Struct, frozen=True):
    name: str
    signature: str


class ShownBatch(msgspec.Struct, frozen=True):
    seq: int
    address: str
    prev_hash: Hex
    hash: Hex
    root: Hex
    accounts: int
    begin_ms: int
    end_ms: int
    chain_events: int
    final: Annotated[bool, msgspec.Meta(description="Whether its challenge window is over.")]
    data: Annotated[str | None, msgspec.Meta(description="Its account on chain, in base64; null where it cannot be read now.")]
    transactions: list[ShownTransaction]


class BatchRow(msgspec.Struct, frozen=True):
    seq: int
    hash: Hex
    root: Hex
    accounts: int
    begin_ms: int
    end_ms: int
    transactions: int


class ShownFill(msgspec.Struct, frozen=True):
    trade_id: str
    size_lots: Whole
    fee_atoms: Whole
    time_ms: int


class ShownLeaf(msgspec.Struct, frozen=True):
    kind: str
    data: Hex
    sums: list[Sum]
    trade_id: Annotated[str | None, msgspec.Meta(description="Of the trade that it is a side of; of several, the last.")]
    fills: Annotated[list[ShownFill], msgspec.Meta(description="Of several fills of one order at one price, said together; else none.")]


class ShownNode(msgspec.Struct, frozen=True):
    hash: Hex
    sums: list[Sum]


class ShownAccount(msgspec.Struct, frozen=True):
    """`siblings` lead from the account's leaf, at `index`, up to the batch's root."""

    address: str
    owner: str
    sub_account: int
    custodied: bool
    before: list[Sum]
    leaves: list[ShownLeaf]
    index: int
    siblings: list[ShownNode]


class ShownKey(msgspec.Struct, frozen=True):
    """Where the wallet registered the key. `data`: the account on chain, in base64, null where it cannot be read now."""

    address: str
    data: str | None
    signature: Annotated[str, msgspec.Meta(description="Of the transaction that registered it; empty where it is not known.")]


class Proof(msgspec.Struct, frozen=True):
    """`signed`: the order's 148 bytes, the key and its signature, in base64; it and `key` are null where the platform signs."""

    trade_id: str
    batch: ShownBatch
    account: ShownAccount
    signed: str | None
    key: ShownKey | None
    transactions: list[ShownTransaction]


class ProofView(APIView):
    permission_classes = [MayUse]

    @operation(
        "chain_proof", "How a trade of yours was settled on chain", tag=TAG, query=ProofQuery, answer=Proof,
        errors=(*READ_ERRORS, 410),
        path={"trade_id": "The trade's number."},
    )  # fmt: skip
    def get(self, request: Request, trade_id: str) -> Response:
        chain = deployment()
        asked = query(request, ProofQuery).account_id
        number = whole_number(trade_id)
        if number is None:
            raise ProofNotFound
        staff = isinstance(request.user, User) and request.user.is_staff and asked is not None
        owner_id = asked if staff and asked is not None else account_id(request, asked)
        return Response(proof_body(proof_of(deployment=chain, account_id=owner_id, trade_id=number)))


class BatchListView(PublicView):
    @operation(
        "chain_batches_list", "Batches on chain, newest first", tag=TAG, query=PageQuery, answer=Page[BatchRow], errors=PUBLIC_READ_ERRORS,
        public=True,
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        deployment()
        asked = query(request, PageQuery)
        rows = SettlementBatch.objects.exclude(hash=None).order_by("-seq")
        if asked.cursor:
            rows = rows.filter(seq__lt=read_cursor(asked.cursor))
        return Response(page_of(list(rows[: asked.limit + 1]), limit=asked.limit, body=row_body, cursor=lambda row: str(row.seq)))


class BatchDetailView(PublicView):
    @operation(
        "chain_batches_get", "One batch", tag=TAG, answer=ShownBatch, errors=PUBLIC_READ_ERRORS, public=True,
        path={"seq": "The batch's number."},
    )  # fmt: skip
    def get(self, request: Request, seq: str) -> Response:
        chain = deployment()
        query(request, NoQuery)
        number = whole_number(seq)
        if number is None:
            raise BatchNotFound
        batch = batch_of(number)
        found = on_chain(chain, batch)
        return Response(batch_body(batch, address=found.address, data=found.data, final=found.is_final))


def row_body(batch: SettlementBatch) -> dict[str, Any]:
    return {
        "seq": batch.seq,
        "hash": bytes(batch.hash or b"").hex(),
        "root": bytes(batch.root or b"").hex(),
        "accounts": batch.accounts,
        "begin_ms": batch.begin_ms,
        "end_ms": batch.end_ms,
        "transactions": len(transactions_of(batch)),
    }


def batch_body(batch: SettlementBatch, *, address: str, data: bytes | None, final: bool) -> dict[str, Any]:
    return {
        "seq": batch.seq,
        "address": address,
        "prev_hash": bytes(batch.prev_hash or b"").hex(),
        "hash": bytes(batch.hash or b"").hex(),
        "root": bytes(batch.root or b"").hex(),
        "accounts": batch.accounts,
        "begin_ms": batch.begin_ms,
        "end_ms": batch.end_ms,
        "chain_events": batch.chain_events,
        "final": final,
        "data": _base64(data),
        "transactions": _transactions(transactions_of(batch)),
    }


def proof_body(proof: TradeProof) -> dict[str, Any]:
    found = proof.on_chain
    return {
        "trade_id": str(proof.trade_id),
        "batch": batch_body(proof.batch, address=found.address, data=found.data, final=found.is_final),
        "account": {
            "address": str(proof.tree.user),
            "owner": proof.owner,
            "sub_account": proof.sub_account,
            "custodied": proof.row.custodied,
            "before": _sums(proof.tree.before),
            "leaves": [_leaf(leaf) for leaf in proof.tree.leaves],
            "index": proof.row.place,
            "siblings": [{"hash": node.hash.hex(), "sums": _sums(node.sums)} for node in proof.path.siblings],
        },
        "signed": _base64(proof.signed),
        "key": None if proof.key is None else _key(proof.key),
        "transactions": _transactions(proof.transactions),
    }


def _key(key: KeyOnChain) -> dict[str, Any]:
    return {"address": key.address, "data": _base64(key.data), "signature": key.signature}


def _base64(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _leaf(leaf: Leaf) -> dict[str, Any]:
    trade_id = str(leaf.trade_id) if leaf.trade_id else None
    shown = {"kind": leaf.kind, "data": leaf.data.hex(), "sums": _sums(leaf.sums), "trade_id": trade_id}
    return shown | {"fills": [_fill(one) for one in leaf.fills]}


def _fill(fill: LeafFill) -> dict[str, Any]:
    amounts = {"size_lots": str(fill.size_lots), "fee_atoms": str(fill.fee_atoms)}
    return {"trade_id": str(fill.trade_id), "time_ms": fill.time_ms} | amounts


def _sums(sums: merkle.Sums) -> list[list[Any]]:
    return [[slot, str(amount)] for slot, amount in sums]


def _transactions(found: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "signature": signature} for name, signature in found]
