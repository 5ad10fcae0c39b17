"""What all RPC methods share."""

from collections.abc import Callable
from typing import Any

from chain.localnet.chain import Chain, Commitment
from chain.localnet.errors import MIN_CONTEXT_SLOT_NOT_REACHED, RpcError
from chain.localnet.params import Config, Json, Params

Method = Callable[[Chain, Params], Any]
API_VERSION = "2.2.0"  # the validator version whose answers these are


def view(chain: Chain, config: Config) -> Commitment:
    """Return the commitment of the request; refuse what is to be seen from a later slot."""
    commitment = config.commitment()
    wanted = config.number("minContextSlot")
    reached = chain.at(commitment).slot
    if wanted is not None and wanted > reached:
        raise RpcError(MIN_CONTEXT_SLOT_NOT_REACHED, "Minimum context slot has not been reached", {"contextSlot": reached})
    return commitment


def in_context(chain: Chain, commitment: Commitment, value: Any) -> Json:
    return {"context": {"apiVersion": API_VERSION, "slot": chain.at(commitment).slot}, "value": value}
