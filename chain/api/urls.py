from django.urls import path

from chain.api import proofs, transactions, wallets, withdrawals

urlpatterns = [
    path("config/", wallets.ConfigView.as_view()),
    path("wallets/challenge/", wallets.ChallengeView.as_view()),
    path("wallets/", wallets.LinkView.as_view()),
    path("wallet/", wallets.WalletView.as_view()),
    path("faucet/", wallets.FaucetView.as_view()),
    path("transactions/deposit/", transactions.DepositView.as_view()),
    path("transactions/register-key/", transactions.RegisterKeyView.as_view()),
    path("transactions/revoke-key/", transactions.RevokeKeyView.as_view()),
    path("transactions/withdraw/", transactions.WithdrawView.as_view()),
    path("transactions/request-exit/", transactions.RequestExitView.as_view()),
    path("transactions/", transactions.RelayView.as_view()),
    path("transactions/<str:signature>/", transactions.TransactionView.as_view()),
    path("withdrawals/", withdrawals.WithdrawalListView.as_view()),
    path("withdrawals/<str:withdrawal_id>/", withdrawals.WithdrawalDetailView.as_view()),
    path("addresses/", withdrawals.AddressListView.as_view()),
    path("addresses/<str:address>/", withdrawals.AddressDetailView.as_view()),
    path("proofs/<str:trade_id>/", proofs.ProofView.as_view()),
    path("batches/", proofs.BatchListView.as_view()),
    path("batches/<str:seq>/", proofs.BatchDetailView.as_view()),
]
