use anchor_lang::prelude::*;
use merkle::{account_leaf, AccountLeaf, Frontier, Node, POSITION};

use crate::{
    error::DexError,
    event::ChangesPosted,
    hash::Runtime,
    state::{sums_of, Batch, Exchange, Holdings, Phase, SlotChange, User},
};

/// More leaves would make proofs too long for one transaction.
pub const MAX_LEAVES: u32 = 64;

/// One account's net change, and the root of the tree of its leaves.
#[derive(AnchorSerialize, AnchorDeserialize, Clone)]
pub struct AccountChange {
    pub changes: u32,
    pub root: [u8; 32],
    pub sums: Vec<SlotChange>,
}

/// Further accounts: one user for each change, writable, in ascending order over the whole batch.
#[derive(Accounts)]
pub struct PostChanges<'info> {
    pub settler: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, has_one = settler @ DexError::NotSettler)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(mut, seeds = [b"batch", batch.seq.to_le_bytes().as_ref()], bump = batch.bump, constraint = !batch.closed @ DexError::WrongBatch)]
    pub batch: Box<Account<'info, Batch>>,
}

/// An account's poor health rejects nothing: it blocks its withdrawals instead.
pub(crate) fn handle<'info>(ctx: Context<'info, PostChanges<'info>>, changes: Vec<AccountChange>) -> Result<()> {
    let accounts = ctx.accounts;
    accounts.exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    require!(!changes.is_empty() && changes.len() == ctx.remaining_accounts.len(), DexError::WrongAccounts);
    let first = accounts.batch.accounts;
    let mut frontier = accounts.batch.frontier()?;
    for (change, account) in changes.iter().zip(ctx.remaining_accounts) {
        require!(account.key() > accounts.batch.last_account, DexError::NotAscending);
        accounts.batch.last_account = account.key();
        post(&mut accounts.exchange, &mut accounts.batch, &mut frontier, change, account)?;
    }
    accounts.batch.keep(&frontier)?;
    let posted = u32::try_from(changes.len()).map_err(|_| DexError::Overflow)?;
    emit!(ChangesPosted { seq: accounts.batch.seq, first, accounts: posted });
    accounts.batch.invariant()
}

/// Add one account's change to its epoch, and its leaf to the batch's tree: the tree is built here, so it cannot say anything else.
fn post<'info>(
    exchange: &mut Exchange,
    batch: &mut Batch,
    frontier: &mut Frontier,
    change: &AccountChange,
    account: &'info AccountInfo<'info>,
) -> Result<()> {
    require!((1..=MAX_LEAVES).contains(&change.changes), DexError::BadChanges);
    let mut user = Box::new(Account::<User>::try_from(account)?);
    user.settle(exchange)?;
    let outlooks = user.outlooks()?;
    let before = outlooks.last().ok_or(DexError::InvariantBroken)?.to_sums()?;
    let sums = sums_of(&change.sums)?;
    for slot in sums.changes().iter().map(|item| item.slot).filter(|slot| *slot >= POSITION) {
        batch.touch(slot & !POSITION)?;
    }
    user.post(batch.epoch, &Holdings::from_sums(&sums, exchange.assets)?)?;
    user.invariant()?;
    if user.is_custodied(exchange) {
        exchange.house.add(&sums)?;
    }
    let root = Node { hash: change.root, sums };
    let leaf = AccountLeaf { account: account.key().to_bytes(), before, changes: change.changes, root };
    frontier.push::<Runtime>(account_leaf::<Runtime>(&leaf)).map_err(DexError::from)?;
    user.exit(&crate::ID)
}
