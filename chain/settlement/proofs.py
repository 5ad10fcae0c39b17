"""What shows that a trade was settled: the batch, the account's leaves and its path to the root. Verified by whoever asks for it."""

from dataclasses import dataclass

from django.conf import settings
from solders.pubkey import Pubkey

from chain import merkle
from chain.client import ChainClient
from chain.custody.instructions import trading_key_address
from chain.custody.models import ChainEvent
from chain.deployment import Deployment
from chain.errors import ChainError
from chain.models import OutboxAttempt
from chain.settlement.batches import trees_of
from chain.settlement.models import BatchAccount, SettlementBatch, SignedOrderRecord
from chain.settlement.reading import batch_address
from chain.settlement.trees import AccountTree
from markets.signed_orders import take_apart
from trading.models import Fill


class ProofNotFound(ChainError):
    code = "PROOF_NOT_FOUND"
    status = 404
    message = "This trade is not one of this account's."


class ProofNotReady(ChainError):
    code = "PROOF_NOT_READY"
    status = 404
    message = "This trade is not settled on chain yet: it is part of one of the next batches."


class ProofGone(ChainError):
    code = "PROOF_GONE"
    status = 410

    def __init__(self) -> None:
        days = settings.PROOF_RETENTION_DAYS
        super().__init__(f"Proofs are kept for {days} days here. The batch's own account stays on chain.", kept_days=days)


class ProofOnChain(ChainError):
    code = "PROOF_ON_CHAIN"
    status = 404
    message = "This trade was made on chain itself, while the exchange had fallen back: its transaction there is its proof."


class BatchNotFound(ChainError):
    code = "BATCH_NOT_FOUND"
    status = 404
    message = "There is no such batch."


@dataclass(frozen=True, kw_only=True)
class OnChain:
    """What the chain says of a batch now; without data where it could not be read."""

    address: str
    data: bytes | None
    is_final: bool


@dataclass(frozen=True, kw_only=True)
class KeyOnChain:
    """The account of the key that signed; without data where it could not be read. `signature`: of the transaction that registered it."""

    address: str
    data: bytes | None
    signature: str


@dataclass(frozen=True, kw_only=True)
class TradeProof:
    trade_id: int
    batch: SettlementBatch
    row: BatchAccount
    tree: AccountTree
    path: merkle.Proof
    owner: str
    sub_account: int
    signed: bytes | None
    key: KeyOnChain | None
    on_chain: OnChain
    transactions: list[tuple[str, str]]  # what each did, and its signature


def proof_of(*, deployment: Deployment, account_id: int, trade_id: int) -> TradeProof:
    """Return the proof of one side of a trade.

    ProofNotFound for who had no part in it, ProofNotReady while it is not on chain, ProofGone when it is too old, ProofOnChain for a
    trade that no batch says.
    """
    fill = Fill.objects.filter(id__in=(2 * trade_id, 2 * trade_id + 1), account_id=account_id).first()
    if fill is None:
        raise ProofNotFound
    if fill.kind == "chain":
        raise ProofOnChain
    batch = SettlementBatch.objects.filter(last_trade_id__gte=trade_id).order_by("seq").first()
    if batch is None or batch.hash is None:
        raise ProofNotReady
    row = batch.account_changes.filter(account_id=account_id).first()
    if row is None and not batch.account_changes.exists():
        raise ProofGone
    if row is None:
        raise ProofNotReady("In its batch this account's trades cancelled each other out to nothing: there is no change to prove.")
    trees = trees_of(batch)
    tree = trees[row.place]
    owner, sub_account = deployment.owner_of(account_id)
    signed = _signed(tree, trade_id)
    return TradeProof(
        trade_id=trade_id,
        batch=batch,
        row=row,
        tree=tree,
        path=merkle.prove([one.node for one in trees], row.place),
        owner=str(owner),
        sub_account=sub_account,
        signed=signed,
        key=None if signed is None else key_on_chain(deployment, tree.user, take_apart(signed).key),
        on_chain=on_chain(deployment, batch),
        transactions=transactions_of(batch),
    )


def _signed(tree: AccountTree, trade_id: int) -> bytes | None:
    """Return the order that the trade's leaf names, with its key and signature; None where the platform signs."""
    for leaf in tree.leaves:
        if leaf.kind == "Trade" and leaf.tells(trade_id):
            return bytes(SignedOrderRecord.objects.get(digest=leaf.fields["order"].hex()).signed)
    return None


def key_on_chain(deployment: Deployment, user: Pubkey, key: bytes) -> KeyOnChain:
    """Read the key's account, which stays when it is revoked."""
    signer = Pubkey.from_bytes(key)
    address = trading_key_address(deployment, user, signer)
    told = ChainEvent.objects.filter(kind="KeyRegistered", account_address=str(user), data__key=str(signer)).first()
    try:
        with deployment.client() as client:
            account = client.account(address, commitment="finalized")
    except ChainError:
        account = None
    return KeyOnChain(
        address=str(address), data=None if account is None else bytes(account.data), signature="" if told is None else told.signature
    )


def on_chain(deployment: Deployment, batch: SettlementBatch) -> OnChain:
    """Read the batch's account. A node that cannot be reached leaves it out: the rest of a proof stands without it."""
    address = batch_address(deployment, batch.seq)
    try:
        with deployment.client() as client:
            account = client.account(address, commitment="finalized")
            final = _is_final(deployment, client, batch)
    except ChainError:
        return OnChain(address=str(address), data=None, is_final=False)
    return OnChain(address=str(address), data=None if account is None else bytes(account.data), is_final=final)


def _is_final(deployment: Deployment, client: ChainClient, batch: SettlementBatch) -> bool:
    exchange = deployment.dex.read_exchange(client, commitment="finalized")
    return batch.epoch is not None and batch.epoch <= exchange.final_epoch


def transactions_of(batch: SettlementBatch) -> list[tuple[str, str]]:
    """Return the transactions that brought a batch on chain, in order."""
    found = OutboxAttempt.objects.filter(entry_id=batch.entry_id, state=OutboxAttempt.State.FINAL).order_by("id")
    signatures = list(found.values_list("signature", flat=True))
    if len(signatures) == 1:
        return [("settled", signatures[0])]
    middle = [("posted", signature) for signature in signatures[:-1]]
    return [*middle, ("closed", signatures[-1])] if signatures else []


def batch_of(seq: int) -> SettlementBatch:
    batch = SettlementBatch.objects.filter(seq=seq).exclude(hash=None).first()
    if batch is None:
        raise BatchNotFound(seq=seq)
    return batch
