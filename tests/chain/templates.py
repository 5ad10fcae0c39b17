"""An exchange on a localnet, set up once a run and copied for each test that wants one: the next time little is left to do."""

import atexit
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from chain.deployment import FILE, Deployment
from chain.idl import PROGRAMS
from chain.setup.localnet import set_up
from markets.views import MarketView
from tests.chain.localnets import Localnet

SLOT_MS = 20
_kept: dict[str, Path] = {}


def localnet_with_exchange(name: str, *, folder: Path, views: Sequence[MarketView], whole: bool = False) -> tuple[Localnet, Deployment]:
    """Return a localnet whose exchange has these markets; `name` is that of all exchanges with the same ones."""
    if name in _kept:
        shutil.copytree(_kept[name], folder, dirs_exist_ok=True)
    localnet = Localnet(journal=folder / "blocks", programs=PROGRAMS)
    try:
        stop = localnet.tick(slot_ms=SLOT_MS)
        found = set_up(rpc_url=localnet.url, folder=folder / "chain", views=views, say=lambda _text: None, whole=whole)
        stop()
        localnet.finalize()
        if name not in _kept:
            _kept[name] = localnet.do(lambda: _copy(folder))
    except BaseException:
        localnet.end()
        raise
    return localnet, found


def _copy(folder: Path) -> Path:
    """Keep blocks and keys. Whose database it belongs to is each test's affair, so deployment.json is left out."""
    copy = Path(tempfile.mkdtemp(prefix="quantdesk-template-"))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    shutil.copy(folder / "blocks", copy)
    shutil.copytree(folder / "chain", copy / "chain", ignore=shutil.ignore_patterns(FILE))
    return copy
