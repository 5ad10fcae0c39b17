"""Collateral assets and the exchange-wide limits as staff change them: one asks, a second person agrees, and a delay passes."""

from datetime import timedelta
from typing import Any, Final

import msgspec

from accounts.approvals.kinds import Kind, register
from accounts.approvals.models import Approval
from accounts.approvals.services import approval_request, valid_until_ms
from accounts.models import User
from markets.assets import AssetParameters, RiskParameters
from markets.commands import AnyCommand, SetAsset, SetRiskParameters
from markets.errors import Refused
from markets.gateway import gateway
from markets.queries import GetAssets, GetRiskParameters
from risk import projected

ASSET: Final = "collateral_asset"
LIMITS: Final = "risk_limits"
CHANGE: Final = "markets.change_market"
DELAY: Final = timedelta(hours=24)  # what loosens waits longer than leaving takes; what tightens at once is a market's state


def present() -> dict[str, Any]:
    """Return what holds now."""
    assets = {view.parameters.asset: view.parameters for view in gateway().query(GetAssets())}
    return {"assets": assets, "limits": gateway().query(GetRiskParameters())}


def asset_change(*, parameters: AssetParameters, by: User, reason: str) -> Approval:
    subject = f"Set the collateral asset {parameters.asset}"
    return approval_request(kind=ASSET, subject=subject, payload=msgspec.to_builtins(parameters), reason=reason, by=by)


def limits_change(*, parameters: RiskParameters, by: User, reason: str) -> Approval:
    subject = "Set the exchange's limits"
    return approval_request(kind=LIMITS, subject=subject, payload=msgspec.to_builtins(parameters), reason=reason, by=by)


def set_asset(approval: Approval) -> str:
    wanted = msgspec.convert(approval.payload, AssetParameters)
    _submit(SetAsset(parameters=wanted, author=_people(approval), valid_until_ms=valid_until_ms(approval)))
    return f"{wanted.asset} is set."


def set_limits(approval: Approval) -> str:
    wanted = msgspec.convert(approval.payload, RiskParameters)
    _submit(SetRiskParameters(parameters=wanted, author=_people(approval), valid_until_ms=valid_until_ms(approval)))
    return "The limits are set."


def is_asset_set(approval: Approval) -> bool:
    projected.require_past(approval)  # else it could come later, over what was decided after it
    wanted = msgspec.convert(approval.payload, AssetParameters)
    return any(view.parameters == wanted for view in gateway().query(GetAssets()))


def are_limits_set(approval: Approval) -> bool:
    projected.require_past(approval)
    return gateway().query(GetRiskParameters()) == msgspec.convert(approval.payload, RiskParameters)


def ended(approval: Approval) -> None:
    """Nothing waits for the end of such a request."""


def register_kinds() -> None:
    register(
        Kind(
            name=ASSET,
            title="Collateral asset",
            permission=CHANGE,
            delay=DELAY,
            execute=set_asset,
            is_done=is_asset_set,
            on_end=ended,
        )
    )
    register(
        Kind(
            name=LIMITS,
            title="Limits of the exchange",
            permission=CHANGE,
            delay=DELAY,
            execute=set_limits,
            is_done=are_limits_set,
            on_end=ended,
        )
    )


def _people(approval: Approval) -> str:
    assert approval.decided_by is not None
    return f"{approval.requested_by.get_username()}, approved by {approval.decided_by.get_username()}"


def _submit(command: AnyCommand) -> None:
    reply = gateway().submit(command)
    if reply.reject is not None:
        raise Refused(reply.reject)
