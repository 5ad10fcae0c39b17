"""Signed orders, by the vectors that Rust and the browser read, too."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.keypair import Keypair

from markets.signed_orders import MAX_SIZE_LOTS, MAX_U64, Domain, Fill, OrderMalformed, SignedOrder, decode, encode, refusal, sign, verify

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "orders.json").read_text())
KEYS = st.binary(min_size=32, max_size=32)
ORDERS = st.builds(
    SignedOrder,
    domain=st.builds(Domain, program=KEYS, genesis_hash=KEYS),
    market_id=st.integers(0, 2**32 - 1),
    owner=KEYS,
    sub_account=st.integers(0, 2**16 - 1),
    side=st.sampled_from(["buy", "sell"]),
    size_lots=st.integers(1, MAX_SIZE_LOTS),
    limit_ticks=st.integers(1, MAX_U64),
    fee_cap_ppm=st.integers(0, 2**32 - 1),
    reduce_only=st.booleans(),
    expiry_ms=st.integers(0, MAX_U64),
    nonce=st.integers(0, MAX_U64),
)


def order_of(vector: dict[str, Any]) -> SignedOrder:
    return SignedOrder(
        domain=Domain(program=bytes.fromhex(vector["program"]), genesis_hash=bytes.fromhex(vector["genesis_hash"])),
        market_id=vector["market_id"],
        owner=bytes.fromhex(vector["owner"]),
        sub_account=vector["sub_account"],
        side=vector["side"],
        size_lots=int(vector["size_lots"]),
        limit_ticks=int(vector["limit_ticks"]),
        fee_cap_ppm=vector["fee_cap_ppm"],
        reduce_only=vector["reduce_only"],
        expiry_ms=int(vector["expiry_ms"]),
        nonce=int(vector["nonce"]),
    )


@pytest.mark.parametrize("vector", VECTORS["orders"], ids=lambda vector: vector["name"])
def test_it_writes_reads_and_signs_the_same_bytes_as_rust(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["bytes"])
    key = Keypair.from_seed(bytes.fromhex(vector["signer_seed"]))

    assert encode(order_of(vector)) == data
    assert decode(data) == order_of(vector)
    assert bytes(key.pubkey()).hex() == vector["public_key"]
    assert sign(data, key).hex() == vector["signature"]
    assert verify(data, signature=bytes.fromhex(vector["signature"]), public_key=bytes.fromhex(vector["public_key"]))


@pytest.mark.parametrize("vector", VECTORS["malformed"], ids=lambda vector: vector["name"])
def test_it_refuses_what_is_no_order(vector: dict[str, Any]) -> None:
    with pytest.raises(OrderMalformed) as refused:
        decode(bytes.fromhex(vector["bytes"]))

    assert refused.value.rule == vector["error"]


@pytest.mark.parametrize("vector", VECTORS["fills"], ids=lambda vector: vector["name"])
def test_it_allows_the_fills_that_were_signed_for_and_no_others(vector: dict[str, Any]) -> None:
    fill = Fill(
        domain=Domain(program=bytes.fromhex(vector["program"]), genesis_hash=bytes.fromhex(vector["genesis_hash"])),
        market_id=vector["market_id"],
        size_lots=int(vector["size_lots"]),
        price_ticks=int(vector["price_ticks"]),
        fee_atoms=int(vector["fee_atoms"]),
        time_ms=int(vector["time_ms"]),
        filled_lots=int(vector["filled_lots"]),
        position_lots=int(vector["position_lots"]),
    )

    assert refusal(decode(bytes.fromhex(vector["order"])), fill, tick_lot_atoms=vector["tick_lot_atoms"]) == vector["error"]


@given(ORDERS)
def test_it_reads_back_what_it_wrote(order: SignedOrder) -> None:
    assert decode(encode(order)) == order


@given(ORDERS, st.integers(0, 147), st.integers(1, 255))
def test_it_takes_no_signature_for_other_bytes(order: SignedOrder, place: int, change: int) -> None:
    key, data = Keypair.from_seed(bytes(32)), bytearray(encode(order))
    signature = sign(bytes(data), key)
    data[place] ^= change

    assert not verify(bytes(data), signature=signature, public_key=bytes(key.pubkey()))


@pytest.mark.parametrize(("signature", "key"), [(b"", bytes(32)), (bytes(64), b""), (bytes(63), bytes(32)), (bytes(64), bytes(32))])
def test_it_takes_nothing_for_a_signature_that_is_none(signature: bytes, key: bytes) -> None:
    assert not verify(bytes.fromhex(VECTORS["orders"][0]["bytes"]), signature=signature, public_key=key)
