import sys
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from markets.assets import AssetParameters, RiskParameters
from markets.errors import DomainError
from markets.fields import decode
from risk import limits

T = TypeVar("T", AssetParameters, RiskParameters)


class Command(BaseCommand):
    help = "Show the collateral assets and the exchange's limits, or ask for others: a second person approves that in the admin."

    def add_arguments(self, parser: CommandParser) -> None:
        wanted = parser.add_mutually_exclusive_group()
        wanted.add_argument("--asset", metavar="FILE", help="an asset's parameters as JSON, - for standard input")
        wanted.add_argument("--limits", metavar="FILE", help="the exchange's limits as JSON, - for standard input")
        parser.add_argument("--by", metavar="USER", default="", help="who asks")
        parser.add_argument("--reason", default="", help="why")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}") from error

    def _handle(self, options: dict[str, Any]) -> None:
        if not options["asset"] and not options["limits"]:
            shown = msgspec.json.format(msgspec.json.encode(limits.present()), indent=2)
            self.stdout.write(shown.decode())
            return
        by = User.objects.filter(username=options["by"], is_staff=True).first()
        if by is None:
            raise CommandError("--by names a member of staff.")
        if options["asset"]:
            asset = _whole(options["asset"], AssetParameters)
            approval = limits.asset_change(parameters=asset, by=by, reason=options["reason"])
        else:
            wanted = _whole(options["limits"], RiskParameters)
            approval = limits.limits_change(parameters=wanted, by=by, reason=options["reason"])
        self.stdout.write(f"Request {approval.id} waits for a second person.")


def _whole(name: str, type_: type[T]) -> T:
    """Decode a file that states every parameter: none falls back to a default unseen."""
    text = _read(name)
    found = decode(text, type_)
    stated = set(msgspec.json.decode(text, type=dict[str, Any]))
    differing = sorted(stated ^ {field.name for field in msgspec.structs.fields(type_)})
    if differing:
        raise CommandError(f"State exactly the parameters that there are; missing or unknown: {', '.join(differing)}.")
    return found


def _read(name: str) -> str:
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text()
    except OSError as error:
        raise CommandError(str(error)) from error
