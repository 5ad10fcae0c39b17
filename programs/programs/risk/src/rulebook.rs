use anchor_lang::prelude::*;
use fixed_point::QuoteAtoms;
use margin::initial_margin;
use oracle::Feed;
use perp_dex::{
    health::Health,
    state::{Holdings, Market, User, QUOTE},
};

use crate::{error::RiskError, figures::Figures, haircut::Haircut, position_limits::PositionLimits};

/// What judges an account, from further accounts in any order: each is known by its owner and discriminator.
#[derive(Default)]
pub struct Rulebook {
    markets: Vec<Box<Market>>,
    limits: Vec<Box<PositionLimits>>,
    haircuts: Vec<Box<Haircut>>,
    feeds: Vec<(Pubkey, Box<Feed>)>,
}

impl Rulebook {
    pub fn read<'info>(accounts: &'info [AccountInfo<'info>]) -> Result<Self> {
        let mut book = Self::default();
        for account in accounts {
            if let Ok(market) = Account::<Market>::try_from(account) {
                book.markets.push(Box::new(market.into_inner()));
            } else if let Ok(limits) = Account::<PositionLimits>::try_from(account) {
                book.limits.push(Box::new(limits.into_inner()));
            } else if let Ok(haircut) = Account::<Haircut>::try_from(account) {
                book.haircuts.push(Box::new(haircut.into_inner()));
            } else {
                book.feeds.push((account.key(), Box::new(Account::<Feed>::try_from(account)?.into_inner())));
            }
        }
        Ok(book)
    }

    /// Return the figures of the outlook in which the account is closest to its maintenance margin.
    pub fn at_worst(&self, user: &User, now: i64) -> Result<Figures> {
        let mut worst: Option<Figures> = None;
        for outlook in user.outlooks()? {
            let figures = self.figures(&outlook, now)?;
            if worst.is_none_or(|known| figures.excess_atoms() < known.excess_atoms()) {
                worst = Some(figures);
            }
        }
        worst.ok_or_else(|| RiskError::WrongAccounts.into())
    }

    fn figures(&self, holdings: &Holdings, now: i64) -> Result<Figures> {
        let mut health = Health::of(holdings, &self.markets, now)?;
        health.initial = health.initial.saturating_add(self.add_ons(holdings, now)?);
        let (mut opens, mut keeps) = (0i128, 0i128);
        for (asset, amount) in (0u8..).zip(holdings.balances).filter(|(asset, amount)| *asset != QUOTE && *amount != 0) {
            let haircut = self.haircuts.iter().find(|haircut| haircut.asset == asset).ok_or(RiskError::WrongAccounts)?;
            let (_, feed) = self.feeds.iter().find(|(key, _)| *key == haircut.feed).ok_or(RiskError::WrongAccounts)?;
            let counted = haircut.count(amount, feed, now)?;
            opens = opens.saturating_add(counted.initial);
            keeps = keeps.saturating_add(counted.maintenance);
        }
        let free = health.free().saturating_add(opens);
        health.equity = health.equity.saturating_add(keeps);
        Figures::new(&health, free)
    }

    /// Large positions need more than their tiers ask.
    fn add_ons(&self, holdings: &Holdings, now: i64) -> Result<i128> {
        let mut total = 0i128;
        for position in holdings.open_positions() {
            let market = self.markets.iter().find(|market| market.market_id == position.market_id).ok_or(RiskError::WrongAccounts)?;
            let limits = self.limits.iter().find(|limits| limits.market_id == position.market_id).ok_or(RiskError::WrongAccounts)?;
            let notional = market.value(position.lots, market.price_e8)?.0.abs();
            let initial = initial_margin(QuoteAtoms(notional), u32::MAX, &market.tiers()).map_err(RiskError::from)?;
            total = total.saturating_add(limits.present(now).add_on(initial.0, notional)?);
        }
        Ok(total)
    }
}
