"""SPL tokens for tests, made by ordinary transactions."""

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from spl.token.constants import MINT_LEN, TOKEN_PROGRAM_ID
from spl.token.instructions import (
    InitializeMintParams,
    MintToParams,
    TransferCheckedParams,
    create_associated_token_account,
    get_associated_token_address,
    initialize_mint,
    mint_to,
    transfer_checked,
)

from tests.chain.localnets import PROCESSED, UNCHECKED, Localnet

DECIMALS = 6


class Mint:
    """A token whose authority is its maker."""

    def __init__(self, localnet: Localnet, authority: Keypair) -> None:
        self._localnet, self.authority = localnet, authority
        key = Keypair()
        self.key: Pubkey = key.pubkey()
        rent = localnet.client.get_minimum_balance_for_rent_exemption(MINT_LEN).value
        owner = authority.pubkey()
        self._send(
            create_account(
                CreateAccountParams(from_pubkey=owner, to_pubkey=self.key, lamports=rent, space=MINT_LEN, owner=TOKEN_PROGRAM_ID)
            ),
            initialize_mint(
                InitializeMintParams(
                    decimals=DECIMALS, program_id=TOKEN_PROGRAM_ID, mint=self.key, mint_authority=owner, freeze_authority=None
                )
            ),
            others=(key,),
        )

    def open(self, owner: Pubkey, atoms: int = 0) -> Pubkey:
        """Open the owner's associated account, with so much in it."""
        account = get_associated_token_address(owner, self.key)
        self._send(create_associated_token_account(self.authority.pubkey(), owner, self.key))
        if atoms:
            self._send(mint_to(MintToParams(TOKEN_PROGRAM_ID, self.key, account, self.authority.pubkey(), atoms)))
        return account

    def transfer(self, source: Pubkey, owner: Pubkey, target: Pubkey, atoms: int) -> Instruction:
        return transfer_checked(TransferCheckedParams(TOKEN_PROGRAM_ID, source, self.key, target, owner, atoms, DECIMALS))

    def balance(self, account: Pubkey, commitment: str = PROCESSED) -> int:
        return int(self._localnet.client.get_token_account_balance(account, commitment).value.amount)  # type: ignore[arg-type]

    def _send(self, *instructions: Instruction, others: tuple[Keypair, ...] = ()) -> None:
        transaction = self._localnet.signed(self.authority, *instructions, others=others)
        signature = self._localnet.client.send_raw_transaction(bytes(transaction), UNCHECKED).value
        self._localnet.finalize()
        status = self._localnet.client.get_signature_statuses([signature]).value[0]
        assert status is not None
        assert status.err is None, status.err
