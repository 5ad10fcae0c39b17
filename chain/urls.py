from django.urls import path

from chain.views import accounts

app_name = "chain"
urlpatterns = [
    path("accounts/", accounts.accounts, name="accounts"),
    path("accounts/select/", accounts.account_choose, name="account-select"),
    path("accounts/create/", accounts.account_create, name="account-create"),
    path("accounts/transfer/", accounts.account_transfer, name="account-transfer"),
    path("accounts/<int:account_id>/rename/", accounts.account_name, name="account-rename"),
]
