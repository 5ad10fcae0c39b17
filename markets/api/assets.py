"""The collateral assets, public: what they count for, and how much of them is accepted."""

from decimal import Decimal
from typing import Any

import msgspec
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from markets.api import bodies, schemas
from markets.api.documentation import PUBLIC_READ_ERRORS, operation
from markets.api.requests import query
from markets.gateway import gateway
from markets.queries import GetAssets
from markets.views import CollateralAssetView


class Weight(msgspec.Struct, frozen=True):
    """Weights of the slice of a holding that is worth more than `value_from` USDC."""

    value_from: Decimal
    initial_weight: Decimal
    maintenance_weight: Decimal


class Asset(msgspec.Struct, frozen=True):
    """A collateral asset. Prices in USD: `collateral_price` is the index less its confidence, `initial_price` what opens positions.

    Caps are of what one account, and all together, may hold; the conversion cap is of the backstop, in USDC.
    """

    asset: str
    decimals: int
    state: str
    index_price: Decimal
    collateral_price: Decimal
    initial_price: Decimal
    weights: list[Weight]
    held: Decimal
    account_cap: Decimal
    exchange_cap: Decimal
    conversion_haircut: Decimal
    conversion_cap: Decimal


class AssetList(msgspec.Struct, frozen=True):
    results: list[Asset]


class AssetListView(APIView):
    permission_classes = [AllowAny]

    @operation("assets_list", "Collateral assets", tag="Markets", answer=AssetList, errors=PUBLIC_READ_ERRORS, public=True)
    def get(self, request: Request) -> Response:
        query(request, schemas.NoQuery)
        return Response({"results": [body(view) for view in gateway().query(GetAssets())]})


def body(view: CollateralAssetView) -> dict[str, Any]:
    rules = view.parameters
    return {
        "asset": rules.asset,
        "decimals": rules.decimals,
        "state": view.state,
        "index_price": bodies.e8(view.price_e8),
        "collateral_price": bodies.e8(view.collateral_price_e8),
        "initial_price": bodies.e8(view.initial_price_e8),
        "weights": [
            {
                "value_from": bodies.atoms(tier.value_from_atoms),
                "initial_weight": bodies.ppm(tier.initial_ppm),
                "maintenance_weight": bodies.ppm(tier.maintenance_ppm),
            }
            for tier in rules.tiers
        ],
        "held": bodies.atoms(view.total_atoms, rules.asset),
        "account_cap": bodies.atoms(rules.account_cap_atoms, rules.asset),
        "exchange_cap": bodies.atoms(rules.exchange_cap_atoms, rules.asset),
        "conversion_haircut": bodies.ppm(rules.conversion_haircut_ppm),
        "conversion_cap": bodies.atoms(rules.conversion_cap_atoms),
    }
