use anchor_lang::prelude::*;
use anchor_lang::system_program::{transfer, Transfer};

use merkle::{account_leaf, AccountLeaf, Climb, Node};

use super::prove_challenge::climb_on;
use crate::{
    error::DexError,
    hash::Runtime,
    state::{stored, sums_of, Batch, Challenge, Exchange, Phase, SlotChange, StoredNode, User},
};

/// What a batch says of an account, as it was posted, and its place in the batch's tree.
#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct AccountProof {
    pub index: u32,
    pub siblings: Vec<StoredNode>,
    pub changes: u32,
    pub root: [u8; 32],
    pub sums: Vec<SlotChange>,
    pub before: Vec<SlotChange>,
}

#[derive(Accounts)]
pub struct OpenChallenge<'info> {
    #[account(mut)]
    pub challenger: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(seeds = [b"batch", batch.seq.to_le_bytes().as_ref()], bump = batch.bump, constraint = batch.closed @ DexError::WrongBatch)]
    pub batch: Box<Account<'info, Batch>>,
    #[account(seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump)]
    pub user: Box<Account<'info, User>>,
    #[account(
        init, payer = challenger, space = 8 + Challenge::INIT_SPACE,
        seeds = [b"challenge", batch.seq.to_le_bytes().as_ref(), user.key().as_ref()], bump
    )]
    pub challenge: Box<Account<'info, Challenge>>,
    pub system_program: Program<'info, System>,
}

/// Demand to see an account's leaves in a batch. Everything that the proof needs was posted on chain; a long one is continued by
/// `prove_challenge`. The bond goes to who answers, or comes back when nobody can.
pub(crate) fn handle(ctx: Context<OpenChallenge>, proof: AccountProof) -> Result<()> {
    let accounts = ctx.accounts;
    accounts.exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    let before = sums_of(&proof.before)?;
    let root = Node { hash: proof.root, sums: sums_of(&proof.sums)? };
    let leaf = AccountLeaf { account: accounts.user.key().to_bytes(), before, changes: proof.changes, root };
    let node = account_leaf::<Runtime>(&leaf);
    let climb = Climb::begin(node, proof.index, accounts.batch.accounts).map_err(DexError::from)?;
    let bond_lamports = accounts.exchange.parameters.bond_lamports;
    accounts.challenge.set_inner(Challenge {
        seq: accounts.batch.seq,
        user: accounts.user.key(),
        challenger: accounts.challenger.key(),
        bump: ctx.bumps.challenge,
        epoch: accounts.batch.epoch,
        bond_lamports,
        deadline: 0,
        place: climb.place,
        width: climb.width,
        hash: climb.node.hash,
        hash_sums: stored(&climb.node.sums),
        proven: false,
        answered: false,
        root: proof.root,
        changes: proof.changes,
        next: 0,
        running: stored(&leaf.before),
        sums: proof.sums,
        funded: 0,
    });
    let bond = Transfer { from: accounts.challenger.to_account_info(), to: accounts.challenge.to_account_info() };
    transfer(CpiContext::new(accounts.system_program.key(), bond), bond_lamports)?;
    climb_on(&mut accounts.exchange, &accounts.batch, &mut accounts.challenge, &proof.siblings)
}
