"""A deployment's files, as chain_setup writes them."""

from pathlib import Path
from typing import Any

import msgspec
from solders.hash import Hash
from solders.keypair import Keypair

from chain.deployment import FILE, Record
from chain.idl import AnchorProgram

NAMES = ("custodian", "settler", "authority", "publisher-1", "publisher-2", "faucet")


def write_deployment(folder: Path, **changes: Any) -> dict[str, Keypair]:
    """Write deployment.json and fresh keys; return the keys by name."""
    folder.mkdir(parents=True, exist_ok=True)
    keys = {name: Keypair() for name in NAMES}
    for name, key in keys.items():
        (folder / f"{name}.json").write_text(key.to_json())
    facts = {
        "cluster": "localnet",
        "rpc_url": "http://127.0.0.1:8899",
        "genesis_hash": str(Hash(bytes([7] * 32))),
        "programs": {name: str(AnchorProgram(name).id) for name in ("perp_dex", "oracle")},
        "usdc_mint": str(Keypair().pubkey()),
        "custodian": str(keys["custodian"].pubkey()),
        "settler": str(keys["settler"].pubkey()),
        "authority": str(keys["authority"].pubkey()),
        "publishers": [str(keys[name].pubkey()) for name in ("publisher-1", "publisher-2")],
    }
    (folder / FILE).write_bytes(msgspec.json.encode(Record(**facts | changes)))
    return keys
