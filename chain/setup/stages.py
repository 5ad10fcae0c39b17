"""The exchange itself, stage by stage. Each stage looks first what is there, so running it again goes on."""

from chain.prices import feed_address, market_address
from chain.setup.sender import Task
from chain.setup.site import Site
from markets.ledger import BACKSTOP, DUST, FAUCET, FEES, FUNDING, INSURANCE
from markets.views import MarketView

OWN_ACCOUNTS = (FAUCET, FEES, INSURANCE, DUST, FUNDING, BACKSTOP)  # clearing and what only passes through are not on chain
FEEDS_A_TASK, USERS_A_TASK = 2, 3


def foundation(site: Site) -> list[Task]:
    """Exchange and oracle with nothing in them."""
    tasks: list[Task] = []
    if not site.is_there(site.deployment.oracle.pda(b"oracle")):
        tasks.append(site.first("oracle", "oracle", site.make.initialise_oracle(), "Oracle"))
    if not site.is_there(site.deployment.dex.exchange):
        tasks.append(site.first("perp_dex", "exchange", site.make.initialise_exchange(site.terms), "Exchange"))
    return tasks


def listings(site: Site) -> list[Task]:
    """The feeds, and USDC on the list of assets."""
    if site.governed:
        return []
    missing = [market for market in site.markets if not site.is_there(feed_address(site.deployment, market.market_id))]
    groups = [missing[start : start + FEEDS_A_TASK] for start in range(0, len(missing), FEEDS_A_TASK)]
    tasks = [site.task("feeds", [site.make.create_feed(market) for market in some], *["Feed"] * len(some)) for some in groups]
    if not site.is_there(site.deployment.dex.asset(site.deployment.usdc_mint)["asset"]):
        tasks.append(site.task("USDC", [site.make.list_usdc(site.terms)], "Asset", "token account"))
    return tasks


def missing_markets(site: Site) -> list[MarketView]:
    return [view for view in site.views if not site.is_there(market_address(site.deployment, view.parameters.market_id))]


def market_accounts(site: Site, *, with_limits: bool) -> list[Task]:
    """The markets that are missing, each with its limits where they are told."""
    return [] if site.governed else [_market(site, view, with_limits=with_limits) for view in missing_markets(site)]


def _market(site: Site, view: MarketView, *, with_limits: bool) -> Task:
    limits = [site.make.set_market_limits(view.parameters, price_e8=view.index_e8)] if with_limits and view.index_e8 > 0 else []
    return site.task(
        view.parameters.symbol, [site.make.create_market(view.parameters), *limits], "Market", *["PositionLimits"] * len(limits)
    )


def users(site: Site) -> list[Task]:
    """The exchange's own accounts. After the markets: a market that comes later opens only when an exit could have been made."""
    missing = [account_id for account_id in site.own_accounts if not site.is_there(site.deployment.account_address(account_id))]
    groups = [missing[start : start + USERS_A_TASK] for start in range(0, len(missing), USERS_A_TASK)]
    return [site.task("own accounts", [site.make.create_user(one) for one in some], *["User"] * len(some)) for some in groups]
