"""The instructions that a wallet signs itself, and those that the settler sends for it."""

from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import create_idempotent_associated_token_account, get_associated_token_address

from chain.client import ChainClient
from chain.deployment import Deployment

EVERY_MARKET: Final = 2**32 - 1
USDC_INDEX: Final = 0


class WalletInstructions:
    """Instructions about one wallet's account. What is linked here is its sub-account 0; others can only be left."""

    def __init__(self, chain: Deployment, owner: Pubkey, sub_account: int = 0) -> None:
        self._chain, self._program, self.owner, self._sub_account = chain, chain.dex.program, owner, sub_account
        self.user = chain.dex.user(owner, sub_account)

    @property
    def token_account(self) -> Pubkey:
        """Return the wallet's usual account for USDC."""
        return get_associated_token_address(self.owner, self._chain.usdc_mint)

    def open_token_account(self, payer: Pubkey) -> Instruction:
        return create_idempotent_associated_token_account(payer, self.owner, self._chain.usdc_mint)

    def create_user(self, payer: Pubkey) -> Instruction:
        accounts = self._accounts(payer=payer, system_program=SYSTEM)
        return self._program.instruction("create_user", {"owner": self.owner, "sub_account": self._sub_account}, accounts)

    def deposit(self, amount_atoms: int) -> Instruction:
        accounts = self._accounts(depositor=self.owner, source=self.token_account, token_program=TOKEN_PROGRAM_ID)
        asset = self._chain.dex.asset(self._chain.usdc_mint)
        del asset["vault_authority"]
        return self._program.instruction("deposit", {"amount": amount_atoms}, accounts | asset)

    def grant_voucher(self, *, number: int, amount_atoms: int, expires_at_s: int, settler: Pubkey) -> Instruction:
        arguments = {"number": number, "asset": USDC_INDEX, "amount": amount_atoms, "expires_at": expires_at_s}
        accounts = self._accounts(settler=settler, voucher=self.voucher(number), system_program=SYSTEM)
        return self._program.instruction("grant_voucher", arguments, accounts)

    def return_voucher(self, *, number: int, settler: Pubkey) -> Instruction:
        accounts = {"settler": settler, "exchange": self._chain.dex.exchange, "voucher": self.voucher(number)}
        return self._program.instruction("return_voucher", {}, accounts)

    def withdraw(
        self, *, number: int, amount_atoms: int, destination: Pubkey, markets: list[int], settler: Pubkey, signer: Pubkey
    ) -> Instruction:
        accounts = self._accounts(
            signer=signer, settler=settler, destination=destination, voucher=self.voucher(number), token_program=TOKEN_PROGRAM_ID
        )
        asset = self._chain.dex.asset(self._chain.usdc_mint)
        more = [AccountMeta(self._market(market_id), is_signer=False, is_writable=False) for market_id in markets]
        return self._program.instruction("withdraw", {"amount": amount_atoms}, accounts | asset, more)

    def register_key(self, *, key: Pubkey, market_id: int | None, cap_atoms: int, expires_at_s: int) -> Instruction:
        arguments = {
            "key": key,
            "market_id": EVERY_MARKET if market_id is None else market_id,
            "cap_atoms": cap_atoms,
            "expires_at": expires_at_s,
            "custodied": False,
        }
        accounts = self._accounts(owner=self.owner, trading_key=self.trading_key(key), system_program=SYSTEM)
        return self._program.instruction("register_key", arguments, accounts)

    def revoke_key(self, key: Pubkey) -> Instruction:
        return self._program.instruction("revoke_key", {}, self._accounts(owner=self.owner, trading_key=self.trading_key(key)))

    def request_exit(self) -> Instruction:
        return self._program.instruction("request_exit", {}, self._accounts(owner=self.owner))

    def end_exit(self) -> Instruction:
        """Anyone may, once nothing is left of an account that asked to leave."""
        return self._program.instruction("end_exit", {}, self._accounts())

    def voucher(self, number: int) -> Pubkey:
        return voucher_address(self._chain, self.user, number)

    def trading_key(self, key: Pubkey) -> Pubkey:
        return trading_key_address(self._chain, self.user, key)

    def markets_held(self, client: ChainClient) -> list[int]:
        """Return the markets of every position that the account has or will have: a withdrawal must show them."""
        user = self._program.account("User", client.account(self.user, commitment="confirmed"))
        holdings = [user.holdings, *(pending.changes for pending in user.pending if pending.epoch)]
        return sorted({position.market_id for held in holdings for position in held.positions if position.lots})

    def _accounts(self, **named: Pubkey) -> dict[str, Pubkey]:
        return {"exchange": self._chain.dex.exchange, "user": self.user} | named

    def _market(self, market_id: int) -> Pubkey:
        return self._program.pda(b"market", market_id.to_bytes(4, "little"))


def voucher_address(chain: Deployment, user: Pubkey, number: int) -> Pubkey:
    return chain.dex.program.pda(b"voucher", bytes(user), number.to_bytes(8, "little"))


def trading_key_address(chain: Deployment, user: Pubkey, key: Pubkey) -> Pubkey:
    return chain.dex.program.pda(b"key", bytes(user), bytes(key))
