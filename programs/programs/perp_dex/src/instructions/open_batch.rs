use anchor_lang::prelude::*;

use super::register_key::in_ms;
use crate::{
    error::DexError,
    event::BatchOpened,
    state::{Batch, Exchange, Phase},
};

#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy)]
pub struct BatchHeader {
    pub seq: u64,
    pub prev_hash: [u8; 32],
    pub begin_ms: u64,
    pub end_ms: u64,
    /// How many events of the chain the engine has journalled.
    pub chain_events: u64,
}

#[derive(Accounts)]
#[instruction(header: BatchHeader)]
pub struct OpenBatch<'info> {
    #[account(mut)]
    pub settler: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, has_one = settler @ DexError::NotSettler)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(init, payer = settler, space = 8 + Batch::INIT_SPACE, seeds = [b"batch", header.seq.to_le_bytes().as_ref()], bump)]
    pub batch: Box<Account<'info, Batch>>,
    pub system_program: Program<'info, System>,
}

/// Number and hash must follow the last batch, so a batch sent twice fails harmlessly.
pub(crate) fn handle(ctx: Context<OpenBatch>, header: BatchHeader) -> Result<()> {
    let exchange = &mut ctx.accounts.exchange;
    exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    require!(!exchange.batch_open, DexError::WrongBatch);
    let follows = exchange.last_seq.checked_add(1) == Some(header.seq) && exchange.last_hash == header.prev_hash;
    require!(follows, DexError::WrongSequence);
    check_interval(exchange, &header)?;
    let knows_all = header.chain_events == exchange.chain_events;
    let knows_enough = header.chain_events <= exchange.chain_events && exchange.phase == Phase::Live;
    require!(knows_all || knows_enough, DexError::UnknownChainEvents);
    exchange.batch_open = true;
    let epoch = exchange.open_epoch();
    ctx.accounts.batch.set_inner(Batch {
        seq: header.seq,
        bump: ctx.bumps.batch,
        epoch,
        prev_hash: header.prev_hash,
        hash: [0; 32],
        root: [0; 32],
        begin_ms: header.begin_ms,
        end_ms: header.end_ms,
        chain_events: header.chain_events,
        closed: false,
        deadline: 0,
        accounts: 0,
        last_account: Pubkey::default(),
        peaks: Vec::new(),
        touched: Vec::new(),
        terms: Vec::new(),
    });
    emit!(BatchOpened { seq: header.seq, epoch, begin_ms: header.begin_ms, end_ms: header.end_ms });
    exchange.invariant()?;
    ctx.accounts.batch.invariant()
}

/// Intervals do not overlap and do not reach into the future.
fn check_interval(exchange: &Exchange, header: &BatchHeader) -> Result<()> {
    let now_ms = in_ms(Clock::get()?.unix_timestamp)?;
    let ok = exchange.last_end_ms <= header.begin_ms && header.begin_ms < header.end_ms && header.end_ms <= now_ms.saturating_add(2_000);
    require!(ok, DexError::OutsideInterval);
    Ok(())
}
