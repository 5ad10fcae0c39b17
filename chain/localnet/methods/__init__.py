"""The RPC methods, by name."""

from chain.localnet.methods import accounts, cluster, submissions, tokens, transactions
from chain.localnet.methods.method import Method

METHODS: dict[str, Method] = accounts.METHODS | cluster.METHODS | submissions.METHODS | tokens.METHODS | transactions.METHODS
