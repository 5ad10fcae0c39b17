"""The form with which staff creates a market or replaces its parameters: JSON, as the journal has them."""

from typing import Any

import msgspec
from django import forms

from markets.errors import DomainError
from markets.fields import InvalidField, decode
from markets.models import Market
from markets.parameters import MarketParameters
from trading.services.markets import market_create, market_update


class ParametersForm(forms.Form):
    parameters = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 40, "cols": 100, "spellcheck": "false"}),
        strip=False,
        help_text="Units are in the names: _e8 is 1e-8, _ppm and _ppb are parts per million and billion, _atoms are 0.000001 USDC.",
    )

    def __init__(self, *args: Any, market: Market | None, author: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.market = market
        self.author = author
        self.fields["parameters"].initial = _text(market)

    def clean_parameters(self) -> MarketParameters:
        text = self.cleaned_data["parameters"]
        try:
            wanted = decode(text, MarketParameters)
            _refuse_unknown(text)
        except DomainError as error:
            raise forms.ValidationError(error.message) from error
        if self.market and wanted.market_id != self.market.id:
            raise forms.ValidationError(f"market_id must stay {self.market.id}.")
        return wanted

    def send(self) -> bool:
        """Submit the command; a refusal becomes an error of the form."""
        submit = market_update if self.market else market_create
        try:
            submit(parameters=self.cleaned_data["parameters"], author=self.author)
        except DomainError as error:
            facts = ", ".join(f"{name} {value}" for name, value in error.data.items())
            self.add_error("parameters", f"{error.message} {facts}".strip())
            return False
        return True


def _text(market: Market | None) -> str:
    """Return the market's parameters, or those of the newest one as a start for another."""
    shown = market or Market.objects.order_by("-id").first()
    parameters = dict(shown.parameters) if shown else {}
    if market is None and shown:
        parameters |= {"market_id": shown.id + 1, "symbol": "NEW-PERP", "base_asset": "NEW"}
    return msgspec.json.format(msgspec.json.encode(parameters), indent=2).decode()


def _refuse_unknown(text: str) -> None:
    unknown = set(msgspec.json.decode(text, type=dict[str, Any])) - set(MarketParameters.__struct_fields__)
    if unknown:
        name = sorted(unknown)[0]
        raise InvalidField("UNKNOWN_FIELD", f"There is no parameter {name}.", field=name)
