use anchor_lang::prelude::*;
use merkle::{change_leaf, verify, Node, Proof, Sums};
use order::{Fill, Order};

use crate::{
    ed25519::verified_before,
    error::DexError,
    event::{ChallengeAnswered, LeafShown},
    hash::Runtime,
    health::markets_of,
    judge::{domain, Closing, Judge, Signature},
    leaf::{leaf_name, Leaf},
    state::{stored, sums_of, Bankruptcy, Batch, Challenge, Exchange, Market, OrderFills, Phase, Span, StoredNode, TradingKey, User},
};

/// Answer a challenge: the account's leaves, each in its turn, by anyone. `named` is a trade's order, or `leaf_name` of a leaf that gave a
/// position up. Further accounts: the markets that judge the leaf.
#[derive(Accounts)]
#[instruction(leaf: Leaf, siblings: Vec<StoredNode>, named: [u8; 32])]
pub struct ShowLeaf<'info> {
    #[account(mut)]
    pub answerer: Signer<'info>,
    #[account(mut, seeds = [b"exchange"], bump = exchange.bump)]
    pub exchange: Box<Account<'info, Exchange>>,
    #[account(seeds = [b"batch", batch.seq.to_le_bytes().as_ref()], bump = batch.bump)]
    pub batch: Box<Account<'info, Batch>>,
    #[account(
        mut, seeds = [b"challenge", batch.seq.to_le_bytes().as_ref(), user.key().as_ref()], bump = challenge.bump,
        constraint = challenge.proven && !challenge.answered @ DexError::WrongBatch
    )]
    pub challenge: Box<Account<'info, Challenge>>,
    #[account(seeds = [b"user", user.owner.as_ref(), user.sub_account.to_le_bytes().as_ref()], bump = user.bump)]
    pub user: Box<Account<'info, User>>,
    /// For a trade: the key that signed.
    #[account(seeds = [b"key", user.key().as_ref(), trading_key.key.as_ref()], bump = trading_key.bump)]
    pub trading_key: Option<Account<'info, TradingKey>>,
    /// For a trade: what is known to be filled of the order.
    #[account(init_if_needed, payer = answerer, space = 8 + OrderFills::INIT_SPACE, seeds = [b"fills", named.as_ref()], bump)]
    pub fills: Option<Box<Account<'info, OrderFills>>>,
    /// For a bankruptcy and a deleveraging: what was given up, and is left of it.
    #[account(
        init_if_needed, payer = answerer, space = 8 + Bankruptcy::INIT_SPACE,
        seeds = [b"bankruptcy", batch.seq.to_le_bytes().as_ref(), named.as_ref()], bump
    )]
    pub bankruptcy: Option<Box<Account<'info, Bankruptcy>>>,
    /// CHECK: the sysvar, by its address; for a trade.
    #[account(address = solana_instructions_sysvar::ID)]
    pub instructions: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

impl ShowLeaf<'_> {
    /// The signature in the instruction before must be of a registered key over the very order that the leaf names.
    fn signature(&self, order: &[u8; 32]) -> Result<Signature<'_>> {
        let key = self.trading_key.as_ref().ok_or(DexError::NoSignature)?;
        let signed = verified_before(&self.instructions, 1)?.pop().ok_or(DexError::NoSignature)?;
        require!(solana_sha256_hasher::hash(&signed.message).to_bytes() == *order, DexError::NoSignature);
        require_keys_eq!(signed.key, key.key, DexError::KeyRefused);
        Ok(Signature { key, order: Order::decode(&signed.message).map_err(|_| DexError::NotAnOrder)? })
    }

    fn judge(&mut self, leaf: &Leaf, markets: &[Box<Market>]) -> Result<Sums> {
        let running = sums_of(&self.challenge.running)?;
        let judge = Judge { exchange: &self.exchange, batch: &self.batch, user: &self.user, running: &running, markets };
        match *leaf {
            Leaf::Credit { asset, amount, .. } => judge.credit(asset, amount),
            Leaf::Funding { market_id } => judge.funding(market_id),
            Leaf::Reduction { market_id, lots, price_ticks, fee_atoms, time_ms } => {
                judge.reduction(&Closing { market_id, lots, price_ticks, fee_atoms, time_ms })
            }
            Leaf::House { slot, amount, .. } => judge.house(slot, amount),
            Leaf::Bankruptcy { market_id, lots, quote_atoms, time_ms } => judge.bankruptcy(market_id, lots, quote_atoms, time_ms),
            Leaf::Deleveraging { market_id, lots, .. } => {
                judge.deleveraging(self.bankruptcy.as_ref().ok_or(DexError::NotBankrupt)?, market_id, lots)
            }
            Leaf::Trade { order, size_lots, price_ticks, fee_atoms, time_ms, filled_lots } => {
                let signature = self.signature(&order)?;
                let fill = Fill {
                    domain: domain(&self.exchange),
                    market_id: signature.order.market_id,
                    size_lots,
                    price_ticks,
                    fee_atoms,
                    time_ms,
                    filled_lots,
                    position_lots: 0,
                };
                judge.trade(&signature, fill)
            }
        }
    }

    /// Take the filled lots, so that no other leaf can show them again.
    fn take_fill(&mut self, leaf: &Leaf, named: [u8; 32], bump: Option<u8>) -> Result<()> {
        let Leaf::Trade { order, size_lots, filled_lots, .. } = *leaf else { return Ok(()) };
        let fills = self.fills.as_mut().ok_or(DexError::WrongAccounts)?;
        require!(order == named, DexError::WrongAccounts);
        if fills.order != order {
            fills.order = order;
            fills.bump = bump.ok_or(DexError::WrongAccounts)?;
        }
        fills.take(Span { from_lots: filled_lots, to_lots: filled_lots.checked_add(size_lots).ok_or(DexError::Overflow)? })
    }

    /// Each market's funding is paid once in a batch.
    fn take_funding(&mut self, leaf: &Leaf) -> Result<()> {
        let Leaf::Funding { market_id } = *leaf else { return Ok(()) };
        let place = self.batch.terms.iter().position(|terms| terms.market_id == market_id).ok_or(DexError::WrongAccounts)?;
        let bit = 1u16.checked_shl(u32::try_from(place).map_err(|_| DexError::Overflow)?).ok_or(DexError::Overflow)?;
        require!(self.challenge.funded & bit == 0, DexError::AlreadyDone);
        self.challenge.funded |= bit;
        Ok(())
    }

    /// Record what a bankrupt account gave up, or take a part of it.
    fn take_bankruptcy(&mut self, leaf: &Leaf, named: [u8; 32], bump: Option<u8>) -> Result<()> {
        match *leaf {
            Leaf::Bankruptcy { market_id, lots, quote_atoms, .. } => {
                require!(leaf_name(&self.user.key(), self.challenge.next) == named, DexError::WrongAccounts);
                let bump = bump.ok_or(DexError::WrongAccounts)?;
                let record = self.bankruptcy.as_mut().ok_or(DexError::WrongAccounts)?;
                require!(record.lots == 0, DexError::AlreadyDone);
                record.set_inner(Bankruptcy { bump, market_id, lots, quote_atoms, left_lots: lots.unsigned_abs() });
                Ok(())
            }
            Leaf::Deleveraging { lots, bankrupt, place, .. } => {
                require!(leaf_name(&bankrupt, place) == named, DexError::WrongAccounts);
                self.bankruptcy.as_mut().ok_or(DexError::NotBankrupt)?.take(lots)
            }
            _ => Ok(()),
        }
    }

    fn check_place(&self, leaf: &Leaf, siblings: &[StoredNode], sums: &Sums) -> Result<()> {
        let node = change_leaf::<Runtime>(&leaf.bytes()?, sums.clone()).map_err(DexError::from)?;
        let siblings = siblings.iter().map(StoredNode::node).collect::<Result<Vec<_>>>()?;
        let path = Proof { index: self.challenge.next, leaves: self.challenge.changes, siblings };
        let top = verify::<Runtime>(&node, &path).map_err(DexError::from)?;
        let root = Node { hash: self.challenge.root, sums: sums_of(&self.challenge.sums)? };
        require!(top == root, DexError::BadProof);
        Ok(())
    }

    fn advance(&mut self, sums: &Sums) -> Result<()> {
        let mut running = sums_of(&self.challenge.running)?;
        running.add_all(sums).map_err(DexError::from)?;
        self.challenge.running = stored(&running);
        self.challenge.next = self.challenge.next.checked_add(1).ok_or(DexError::Overflow)?;
        emit!(LeafShown { seq: self.batch.seq, user: self.user.key(), leaf: self.challenge.next });
        if self.challenge.next == self.challenge.changes {
            self.challenge.answered = true;
            self.exchange.count_challenge(self.challenge.epoch, false)?;
            self.challenge.sub_lamports(self.challenge.bond_lamports)?;
            self.answerer.add_lamports(self.challenge.bond_lamports)?;
            emit!(ChallengeAnswered { seq: self.batch.seq, user: self.user.key() });
        }
        Ok(())
    }
}

pub(crate) fn handle<'info>(ctx: Context<'info, ShowLeaf<'info>>, leaf: Leaf, siblings: Vec<StoredNode>, named: [u8; 32]) -> Result<()> {
    let markets = markets_of(ctx.remaining_accounts)?;
    let accounts = ctx.accounts;
    accounts.exchange.require_phase(&[Phase::Live, Phase::Fallback])?;
    let sums = accounts.judge(&leaf, &markets)?;
    accounts.check_place(&leaf, &siblings, &sums)?;
    accounts.take_fill(&leaf, named, ctx.bumps.fills)?;
    accounts.take_funding(&leaf)?;
    accounts.take_bankruptcy(&leaf, named, ctx.bumps.bankruptcy)?;
    accounts.advance(&sums)?;
    accounts.exchange.invariant()
}
