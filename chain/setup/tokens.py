"""Test USDC of a localnet: its mint, and accounts that hold it."""

from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.system_program import CreateAccountParams, create_account
from spl.token.constants import MINT_LEN, TOKEN_PROGRAM_ID
from spl.token.instructions import (
    InitializeMintParams,
    MintToParams,
    create_idempotent_associated_token_account,
    get_associated_token_address,
    initialize_mint,
    mint_to,
)

from markets.units import QUOTE_DECIMALS


def create_mint(*, payer: Pubkey, mint: Keypair, authority: Pubkey, rent_lamports: int) -> list[Instruction]:
    """Return what makes the token, with the exchange's decimals; `authority` may mint as much as it likes."""
    account = CreateAccountParams(
        from_pubkey=payer, to_pubkey=mint.pubkey(), lamports=rent_lamports, space=MINT_LEN, owner=TOKEN_PROGRAM_ID
    )
    token = InitializeMintParams(
        decimals=QUOTE_DECIMALS, program_id=TOKEN_PROGRAM_ID, mint=mint.pubkey(), mint_authority=authority, freeze_authority=None
    )
    return [create_account(account), initialize_mint(token)]


def give(*, payer: Pubkey, mint: Pubkey, authority: Pubkey, owner: Pubkey, atoms: int) -> list[Instruction]:
    """Return what mints test tokens into the owner's associated account, opened if need be."""
    account = get_associated_token_address(owner, mint)
    opened = create_idempotent_associated_token_account(payer, owner, mint)
    return [opened, mint_to(MintToParams(TOKEN_PROGRAM_ID, mint, account, authority, atoms))]
