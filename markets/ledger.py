"""The ledger accounts that belong to the exchange itself. Users' accounts start at FIRST_USER_ACCOUNT."""

from typing import Final

FAUCET: Final = 1  # source of demo money; its balance is minus what it gave
FEES: Final = 2  # trading fees received
INSURANCE: Final = 3  # takes liquidation fees and what is left of liquidated accounts; pays their losses
CLEARING: Final = 4  # counterpart of realised profit and loss: what winners were paid comes from what losers paid
DUST: Final = 5  # remainders of rounding
FUNDING: Final = 6  # counterpart of funding payments within one period
BACKSTOP: Final = 7  # buys the collateral of who owes USDC; its own USDC is the float that debts never exceed
PENDING_WITHDRAWALS: Final = 8  # what is on its way out to the chain
CUSTODY: Final = 9  # what came in through the chain; its balance is minus what the vault on chain holds for users

FIRST_USER_ACCOUNT: Final = 1000
MAX_CUSTODIED_ACCOUNT: Final = 2**16 - 2  # on chain a custodied account's number has 16 bits, the last of which is the insurance's
FIRST_WALLET_ACCOUNT: Final = 1_000_000  # wallets' accounts have numbers of their own, that no custodied account then lacks
SOURCES: Final = (FAUCET, CUSTODY)  # the world outside: their balances are minus what the exchange holds
WITHDRAWAL_TARGETS: Final = (*SOURCES, PENDING_WITHDRAWALS)
NAMES = {
    FAUCET: "faucet",
    FEES: "fees",
    INSURANCE: "insurance",
    CLEARING: "clearing",
    DUST: "dust",
    FUNDING: "funding",
    BACKSTOP: "backstop",
    PENDING_WITHDRAWALS: "pending withdrawals",
    CUSTODY: "custody",
}
