"""What a caller can be told about wallets, their money and their transactions. Codes are in docs/api.md.

DomainError
├── InvalidAddress, InvalidTransaction, TransactionForeign   malformed, or not for this exchange
├── ChallengeGone, ProofWrong                                the wallet was not proven
├── WalletTaken, WalletLinked, NoWallet
├── WithdrawalNotFound, WithdrawalNotReady, WithdrawalKeyUsed, TooManyWithdrawals
├── AddressNotFound, AddressHeld, TooManyAddresses
├── ExitRequested
└── FaucetOff
"""

from markets.errors import DomainError
from markets.fields import InvalidField, echo


class InvalidAddress(InvalidField):
    def __init__(self, text: str, *, field: str) -> None:
        super().__init__("INVALID_ADDRESS", f"{field} is no address of a wallet or key in base58.", field=field, value=echo(text))


class InvalidTransaction(DomainError):
    code = "INVALID_TRANSACTION"
    message = "This is no signed transaction in base64."


class TransactionForeign(DomainError):
    code = "TRANSACTION_NOT_OURS"
    status = 422
    message = "Only transactions of your wallet that call this exchange's programs are passed on."


class ChallengeGone(DomainError):
    code = "CHALLENGE_GONE"
    status = 409
    message = "There is no such challenge: it was used, or it is too old. Ask for another."


class ProofWrong(DomainError):
    code = "PROOF_WRONG"
    status = 422
    message = "The signature is not this wallet's over the challenge."


class WalletTaken(DomainError):
    code = "WALLET_TAKEN"
    status = 409
    message = "This wallet is linked to another person's login."


class WalletLinked(DomainError):
    code = "WALLET_LINKED"
    status = 409
    message = "Another wallet is linked to your login."


class NoWallet(DomainError):
    code = "NO_WALLET"
    status = 404
    message = "Link your wallet first."


class WithdrawalNotFound(DomainError):
    code = "WITHDRAWAL_NOT_FOUND"
    status = 404
    message = "There is no such withdrawal."


class WithdrawalNotReady(DomainError):
    code = "WITHDRAWAL_NOT_READY"
    status = 409
    message = "Only a granted withdrawal can be paid out."


class WithdrawalKeyUsed(DomainError):
    code = "DUPLICATE_ID"
    status = 409
    message = "This key was used for another withdrawal."


class TooManyWithdrawals(DomainError):
    code = "TOO_MANY_WITHDRAWALS"
    status = 409
    message = "An account has at most so many withdrawals under way; wait until one has ended."


class AddressNotFound(DomainError):
    code = "ADDRESS_NOT_FOUND"
    status = 404
    message = "This address is not in your address book."


class AddressHeld(DomainError):
    code = "ADDRESS_HELD"
    status = 409
    message = "This address was added lately; withdrawals go there once its hold is over."


class TooManyAddresses(DomainError):
    code = "TOO_MANY_ADDRESSES"
    status = 409
    message = "An account has at most so many withdrawal addresses."


class ExitRequested(DomainError):
    code = "EXIT_REQUESTED"
    status = 409
    message = "You asked for an exit: the account only closes now."


class FaucetOff(DomainError):
    code = "FAUCET_OFF"
    status = 404
    message = "Test money exists on the localnet only."
