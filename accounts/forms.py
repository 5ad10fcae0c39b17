from django import forms

from accounts.services import MAX_LABEL, MAX_USERNAME


class RegisterForm(forms.Form):
    """What a new user types; the rules are the service's."""

    username = forms.CharField(max_length=MAX_USERNAME, widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}))
    password = forms.CharField(max_length=128, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}))


class ApiKeyForm(forms.Form):
    label = forms.CharField(max_length=MAX_LABEL)
    can_trade = forms.BooleanField(required=False)


class DepositForm(forms.Form):
    """An amount of demo USDC."""

    amount = forms.CharField(max_length=20, initial="10000")
