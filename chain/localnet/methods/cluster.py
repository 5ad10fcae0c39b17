"""Methods about the chain itself: slots, blocks, blockhashes, fees."""

from solders.message import Message, MessageV0, from_bytes_versioned
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from chain.localnet.bank import SLOTS_PER_EPOCH
from chain.localnet.blocks import BLOCKHASH_AGE, Entry
from chain.localnet.chain import Chain
from chain.localnet.errors import SLOT_SKIPPED, RpcError, invalid_params
from chain.localnet.methods.method import API_VERSION, Method, in_context, view
from chain.localnet.params import Json, Params, as_bytes, as_hash, as_key
from chain.localnet.transactions import base_fee, is_writable, priority_fee

MAX_FEE_ACCOUNTS = 128
FEATURE_SET = 3_294_202_862


def get_latest_blockhash(chain: Chain, params: Params) -> Json:
    commitment = view(chain, params.config(0))
    block = chain.latest_sealed(commitment)
    return in_context(chain, commitment, {"blockhash": str(block.blockhash), "lastValidBlockHeight": block.height + BLOCKHASH_AGE})


def is_blockhash_valid(chain: Chain, params: Params) -> Json:
    commitment = view(chain, params.config(1))
    return in_context(chain, commitment, chain.hash_height(as_hash(params.raw(0)), commitment) is not None)


def get_block_height(chain: Chain, params: Params) -> int:
    return chain.at(view(chain, params.config(0))).height


def get_slot(chain: Chain, params: Params) -> int:
    return chain.at(view(chain, params.config(0))).slot


def get_epoch_info(chain: Chain, params: Params) -> Json:
    block = chain.at(view(chain, params.config(0)))
    return {
        "absoluteSlot": block.slot,
        "blockHeight": block.height,
        "epoch": block.slot // SLOTS_PER_EPOCH,
        "slotIndex": block.slot % SLOTS_PER_EPOCH,
        "slotsInEpoch": SLOTS_PER_EPOCH,
        "transactionCount": len(chain.history),
    }


def get_block_time(chain: Chain, params: Params) -> int:
    slot = params.number(0)
    block = chain.block(slot)
    if block is None:
        raise RpcError(SLOT_SKIPPED, f"Slot {slot} was skipped, or missing due to ledger jump to recent snapshot")
    return block.time_s


def get_genesis_hash(chain: Chain, _params: Params) -> str:
    return str(chain.genesis_hash)


def get_version(_chain: Chain, _params: Params) -> Json:
    return {"solana-core": API_VERSION, "feature-set": FEATURE_SET}


def get_health(_chain: Chain, _params: Params) -> str:
    return "ok"


def get_fee_for_message(chain: Chain, params: Params) -> Json:
    commitment = view(chain, params.config(1))
    message = _message(params.text(0))
    unsigned = VersionedTransaction.populate(message, [Signature.default()] * message.header.num_required_signatures)
    known = chain.hash_height(message.recent_blockhash, commitment) is not None
    return in_context(chain, commitment, base_fee(unsigned) + priority_fee(unsigned) if known else None)


def get_recent_prioritization_fees(chain: Chain, params: Params) -> list[Json]:
    """Return for each recent block the lowest price that was paid for writing any of the accounts; 0 where nobody did."""
    wanted = {bytes(as_key(text)) for text in params.items(0, MAX_FEE_ACCOUNTS)} if params.raw(0) is not None else set()
    fees = []
    for block in chain.recent_sealed():
        paid = [entry.unit_price_micro_lamports for entry in block.entries if not wanted or wanted & _written(entry)]
        fees.append({"slot": block.slot, "prioritizationFee": min(paid, default=0)})
    return fees


def _written(entry: Entry) -> set[bytes]:
    transaction = VersionedTransaction.from_bytes(entry.transaction)
    static = {bytes(key) for index, key in enumerate(transaction.message.account_keys) if is_writable(transaction, index)}
    return static | set(entry.loaded[0])


def _message(text: str) -> Message | MessageV0:
    data = as_bytes(text, "base64")
    try:
        return from_bytes_versioned(data)
    except Exception as error:  # solders raises different classes for what is short, long or senseless
        raise invalid_params(f"failed to deserialize VersionedMessage: {error}") from error


METHODS: dict[str, Method] = {
    "getLatestBlockhash": get_latest_blockhash,
    "isBlockhashValid": is_blockhash_valid,
    "getBlockHeight": get_block_height,
    "getSlot": get_slot,
    "getEpochInfo": get_epoch_info,
    "getBlockTime": get_block_time,
    "getGenesisHash": get_genesis_hash,
    "getVersion": get_version,
    "getHealth": get_health,
    "getFeeForMessage": get_fee_for_message,
    "getRecentPrioritizationFees": get_recent_prioritization_fees,
}
