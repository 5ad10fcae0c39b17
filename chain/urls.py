from django.urls import path

from chain.views import accounts, explorer, proof, wallet

app_name = "chain"
urlpatterns = [
    path("accounts/", accounts.accounts, name="accounts"),
    path("accounts/select/", accounts.account_choose, name="account-select"),
    path("accounts/create/", accounts.account_create, name="account-create"),
    path("accounts/transfer/", accounts.account_transfer, name="account-transfer"),
    path("accounts/<int:account_id>/rename/", accounts.account_name, name="account-rename"),
    path("chain/", explorer.chain_page, name="chain"),
    path("chain/state/", explorer.chain_state, name="chain-state"),
    path("chain/tx/<str:signature>/", explorer.transaction, name="transaction"),
    path("chain/tx/<str:signature>/state/", explorer.transaction_state, name="transaction-state"),
    path("proof/<order:trade_id>/", proof.proof, name="proof"),
    path("wallet/", wallet.wallet, name="wallet"),
    path("wallet/state/", wallet.wallet_state, name="wallet-state"),
]
