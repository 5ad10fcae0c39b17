use anchor_lang::prelude::*;
use merkle::{Climb, Node};

use crate::{
    error::DexError,
    event::Challenged,
    hash::Runtime,
    state::{stored, sums_of, Batch, Challenge, Exchange, Phase, StoredNode},
};

#[derive(Accounts)]
pub struct ProveChallenge<'info> {
    pub challenger: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(seeds = [b"batch", batch.seq.to_le_bytes().as_ref()], bump = batch.bump)]
    pub batch: Box<Account<'info, Batch>>,
    #[account(
        mut, seeds = [b"challenge", batch.seq.to_le_bytes().as_ref(), challenge.user.as_ref()], bump = challenge.bump,
        has_one = challenger @ DexError::NotOwner, constraint = !challenge.proven @ DexError::AlreadyDone
    )]
    pub challenge: Box<Account<'info, Challenge>>,
}

/// Bring the next siblings of a proof that is too long for one transaction.
pub(crate) fn handle(ctx: Context<ProveChallenge>, siblings: Vec<StoredNode>) -> Result<()> {
    let accounts = ctx.accounts;
    accounts.exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    climb_on(&mut accounts.exchange, &accounts.batch, &mut accounts.challenge, &siblings)
}

/// Rise by the siblings given; at the root the challenge counts, and the time to answer begins.
pub(crate) fn climb_on(exchange: &mut Exchange, batch: &Batch, challenge: &mut Challenge, siblings: &[StoredNode]) -> Result<()> {
    let now = Clock::get()?.unix_timestamp;
    require!(now <= batch.deadline, DexError::TooLate);
    let node = Node { hash: challenge.hash, sums: sums_of(&challenge.hash_sums)? };
    let mut climb = Climb { node, place: challenge.place, width: challenge.width };
    for sibling in siblings {
        climb.step::<Runtime>(&sibling.node()?).map_err(DexError::from)?;
    }
    challenge.place = climb.place;
    challenge.width = climb.width;
    challenge.hash = climb.node.hash;
    challenge.hash_sums = stored(&climb.node.sums);
    if climb.is_at_root() {
        require!(climb.node.hash == batch.root && climb.node.sums.is_zero(), DexError::BadProof);
        challenge.proven = true;
        challenge.deadline = now.saturating_add(exchange.parameters.answer_window_s);
        exchange.count_challenge(batch.epoch, true)?;
        emit!(Challenged { seq: batch.seq, user: challenge.user, deadline: challenge.deadline });
    }
    exchange.invariant()
}
