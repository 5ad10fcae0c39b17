"""manage.py keeper: what anybody may do for the exchange on chain, pass after pass or once; and what the operator does by hand."""

from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from solders.keypair import Keypair

from chain.client import ChainClient
from chain.deployment import deployment, read_key
from chain.errors import ChainError
from chain.keepers import own
from chain.keepers.actions import Sender
from chain.keepers.acts import ACTS
from chain.keepers.keeper import Keeper
from chain.keepers.programs import NAMES, programs_in
from chain.keepers.running import ACTING, JOBS, keep, keep_once
from chain.keepers.sight import Sight
from chain.tasks import publish_prices
from markets.units import MAX_AMOUNT_ATOMS, QUOTE_ATOMS

ALL: Final = "all"
OWN: Final = {"join": own.join, "withdraw": own.withdraw}
EVERY_S: Final = 5.0
DAY_S: Final = 86_400.0
MAX_SUB_ACCOUNT: Final = 2**16 - 1


class Command(BaseCommand):
    help = (
        "Keeps the exchange on chain. Jobs, for anybody with --key (a funded key's file) and --rpc-url, without any database: "
        f"{', '.join(JOBS)}, {ALL}; the key's own account: {', '.join(OWN)}. By hand, for the operator: {', '.join(ACTS)}."
    )
    requires_system_checks: list[str] = []  # a stranger's keeper has no database and no cache to check

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", choices=sorted({*ACTS, *JOBS, *OWN, ALL}), help="what to do")
        parser.add_argument("--once", action="store_true", help="make one pass and end")
        parser.add_argument("--every", type=seconds_of, default=EVERY_S, metavar="SECONDS", help="between two passes")
        parser.add_argument("--key", type=Path, help="who pays, as Solana's tools write keys; without it the operator's settler")
        parser.add_argument("--rpc-url", default=settings.SOLANA_RPC_URL, help="a node of the exchange's cluster; used with --key")
        parser.add_argument("--programs", type=folder_of, default=settings.CHAIN_PROGRAMS, metavar="FOLDER", help="the exchange's IDLs")
        parser.add_argument("--sub-account", type=sub_account_of, default=0, help="of the key's own account, which takes positions over")
        parser.add_argument("--amount", type=atoms_of, metavar="USDC", help="join, withdraw: how much")
        parser.add_argument("--orders", default="", help="signed orders to be auctioned: a file or an address, base64, one on a line")
        parser.add_argument("--bids", default="", help="signed orders of your own to answer auctions with, under your key's bond")
        parser.add_argument("--fall-back", action=BooleanOptionalAction, help="say that the operator is silent; yes with --key")
        parser.add_argument("--freeze", action=BooleanOptionalAction, help="freeze an exchange whose time has come; yes with --key")
        parser.add_argument("--batch", type=int, help="challenge: whose account is challenged")
        parser.add_argument("--account", type=int, help="challenge: the ledger account that is challenged")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["job"] in ACTS:
                self._act(options)
            elif options["key"] is not None:
                with ChainClient(options["rpc_url"]) as client:
                    self._keep(client, read_key(options["key"]), options)
            else:
                chain = deployment()
                with chain.client() as client:
                    self._keep(client, chain.keys.settler, options)
        except ChainError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            self.stdout.write("")  # the terminal has its own line again

    def _act(self, options: dict[str, Any]) -> None:
        chain = deployment()
        with chain.client() as client:
            self.stdout.write(ACTS[options["job"]](chain, client, options))

    def _keep(self, client: ChainClient, key: Keypair, options: dict[str, Any]) -> None:
        keeper, sender = keeper_of(key, options), Sender(client=client, payer=key)
        if options["job"] in OWN:
            self._own(keeper, client, sender, options)
            return
        jobs = ACTING if options["job"] == ALL else (options["job"],)
        # The operator's own keeper has the publishers' keys, and brings the engine's prices first.
        before = publish_prices if options["key"] is None and "oracle" in jobs else bool
        if not options["once"]:
            keep(jobs=jobs, keeper=keeper, client=client, sender=sender, every_s=options["every"], before=before)
        before()
        results, errors = keep_once(jobs=jobs, keeper=keeper, client=client, sender=sender)
        for result in results:
            self.stdout.write(f"{result.title}: {result.outcome} ({result.detail})")
        if errors:
            raise errors[0]

    def _own(self, keeper: Keeper, client: ChainClient, sender: Sender, options: dict[str, Any]) -> None:
        if options["key"] is None or options["amount"] is None:
            raise CommandError(f"{options['job']} takes --key and --amount.")
        action = OWN[options["job"]](keeper, Sight(keeper.programs, client), amount_atoms=options["amount"])
        for result in sender.send([action]):
            if result.outcome != "done":
                raise CommandError(f"{result.title}: {result.outcome} ({result.detail})")
            self.stdout.write(f"{result.title} ({result.detail})")


def atoms_of(text: str) -> int:
    """Read an amount of USDC."""
    try:
        atoms = Decimal(text) * QUOTE_ATOMS
        whole = int(atoms)
    except (ArithmeticError, ValueError) as error:
        raise ArgumentTypeError("an amount of USDC is a number") from error
    if whole <= 0 or whole != atoms or whole > MAX_AMOUNT_ATOMS:
        raise ArgumentTypeError("an amount of USDC is above zero, to the millionth")
    return whole


def seconds_of(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= DAY_S:
        raise ArgumentTypeError("between two passes there are more than 0 s, and less than a day")
    return seconds


def sub_account_of(text: str) -> int:
    number = int(text)
    if not 0 <= number <= MAX_SUB_ACCOUNT:
        raise ArgumentTypeError(f"sub-accounts are numbered from 0 to {MAX_SUB_ACCOUNT:,}")
    return number


def folder_of(text: str) -> Path:
    folder = Path(text)
    missing = [name for name in NAMES if not (folder / f"{name}.legacy.json").is_file()]
    if missing:
        raise ArgumentTypeError(f"there is no {missing[0]}.legacy.json in {folder}")
    return folder


def keeper_of(key: Keypair, options: dict[str, Any]) -> Keeper:
    strange = options["key"] is not None
    return Keeper(
        programs=programs_in(options["programs"]),
        key=key.pubkey(),
        sub_account=options["sub_account"],
        falls_back=strange if options["fall_back"] is None else options["fall_back"],
        freezes=strange if options["freeze"] is None else options["freeze"],
        pyth_shard=settings.PYTH_SOLANA_SHARD,
        orders=options["orders"],
        bids=options["bids"],
    )
