use anchor_lang::prelude::*;

use crate::{
    error::DexError,
    event::{BatchClosed, PhaseChanged},
    hash::Runtime,
    state::{Batch, Exchange, Funding, Market, MarketTerms, Phase, MAX_BATCH_MARKETS},
};

/// Further accounts: every market that the batch touches (and any whose prices its leaves need), writable.
#[derive(Accounts)]
pub struct CloseBatch<'info> {
    pub settler: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump, has_one = settler @ DexError::NotSettler)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(mut, seeds = [b"batch", batch.seq.to_le_bytes().as_ref()], bump = batch.bump, constraint = !batch.closed @ DexError::WrongBatch)]
    pub batch: Box<Account<'info, Batch>>,
}

/// `root` is what the settler expects; `funding` has one entry for each market given.
pub(crate) fn handle<'info>(ctx: Context<'info, CloseBatch<'info>>, root: [u8; 32], funding: Vec<Funding>) -> Result<()> {
    let accounts = ctx.accounts;
    let clock = Clock::get()?;
    accounts.exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    let total = accounts.batch.frontier()?.root::<Runtime>().map_err(DexError::from)?;
    require!(total.sums.is_zero(), DexError::NotZeroSum);
    require!(total.hash == root, DexError::WrongRoot);
    require!(funding.len() == ctx.remaining_accounts.len() && funding.len() <= MAX_BATCH_MARKETS, DexError::WrongAccounts);
    for (account, paid) in ctx.remaining_accounts.iter().zip(funding) {
        let mut market = Box::new(Account::<Market>::try_from(account)?);
        require!(accounts.batch.terms_of(market.market_id).is_err(), DexError::NotAscending);
        let terms = set_terms(&mut market, paid, &accounts.batch)?;
        accounts.batch.terms.push(terms);
        accounts.exchange.house.revalue(&market, terms.low_e8, terms.high_e8)?;
        market.exit(&crate::ID)?;
    }
    let priced = accounts.batch.touched.iter().all(|market_id| accounts.batch.terms_of(*market_id).is_ok());
    require!(priced, DexError::WrongAccounts);
    accounts.exchange.house.require_solvent()?;
    seal(&mut accounts.exchange, &mut accounts.batch, root, &clock)?;
    accounts.exchange.invariant()?;
    accounts.batch.invariant()
}

/// Keep the oracle's range over the interval and the one before with the batch, and begin the next.
fn set_terms(market: &mut Market, funding: Funding, batch: &Batch) -> Result<MarketTerms> {
    require!(market.low_e8 > 0, DexError::BadPriceState);
    let (low_e8, high_e8) = market.range();
    let terms = MarketTerms { market_id: market.market_id, low_e8, high_e8, funding };
    if funding.hour != 0 {
        let due = funding.hour > market.funding_hour && u64::from(funding.hour) * 3_600_000 <= batch.end_ms;
        // The index of the full hour lies between two observations, and need not be inside their range.
        let index = market.near(u128::from(funding.index_e8), terms.low_e8, terms.high_e8);
        let rate = funding.rate_ppb.unsigned_abs() <= u64::from(market.parameters.funding_cap_ppb);
        require!(due && index && rate, DexError::BadLeaf);
        market.funding_hour = funding.hour;
    }
    market.reset_range();
    market.invariant()?;
    Ok(terms)
}

fn seal(exchange: &mut Exchange, batch: &mut Batch, root: [u8; 32], clock: &Clock) -> Result<()> {
    let hash = solana_sha256_hasher::hashv(&[
        b"QDBATCH1",
        &batch.prev_hash,
        &batch.seq.to_le_bytes(),
        &root,
        &batch.accounts.to_le_bytes(),
        &batch.begin_ms.to_le_bytes(),
        &batch.end_ms.to_le_bytes(),
        &batch.chain_events.to_le_bytes(),
    ])
    .to_bytes();
    batch.root = root;
    batch.hash = hash;
    batch.closed = true;
    batch.deadline = clock.unix_timestamp.saturating_add(exchange.parameters.challenge_window_s);
    batch.peaks = Vec::new();
    exchange.batch_open = false;
    exchange.last_seq = batch.seq;
    exchange.last_hash = hash;
    exchange.last_end_ms = batch.end_ms;
    exchange.last_batch_slot = clock.slot;
    exchange.open_deadline = batch.deadline;
    emit!(BatchClosed { seq: batch.seq, hash, root, accounts: batch.accounts, deadline: batch.deadline });
    if exchange.phase == Phase::Fallback {
        exchange.enter(Phase::Live, clock);
        emit!(PhaseChanged { phase: Phase::Live, slot: clock.slot, final_epoch: exchange.final_epoch });
    }
    Ok(())
}
