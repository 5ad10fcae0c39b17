"""What speaks against setting up an exchange on a cluster as it was asked for. Nothing is changed."""

from solders.pubkey import Pubkey
from spl.token.constants import TOKEN_PROGRAM_ID
from spl.token.instructions import get_associated_token_address

from chain.client import ChainClient
from chain.deployment import INSURANCE_SUB_ACCOUNT, Deployment
from chain.idl import WrongAccount
from chain.prices import feed_address, market_address
from chain.setup.companions import has_staked
from chain.setup.costs import SIZES_BYTES
from chain.setup.instructions import limits_address
from chain.setup.site import Site
from chain.setup.terms import too_short
from markets.units import QUOTE_DECIMALS

SOL = 10**9
PAYER_LAMPORTS = SOL // 10  # fees and rents of the first days
AMOUNT_AT, DECIMALS_AT = 64, 44  # in a token account; in a mint's account


def problems(site: Site, *, cost_lamports: int, stake_mint: Pubkey | None, insurance_atoms: int) -> list[str]:
    return [
        *_mint_problems(site, site.deployment.usdc_mint, "USDC", decimals=QUOTE_DECIMALS),
        *(_mint_problems(site, stake_mint, "The stake", decimals=None) if stake_mint else []),
        *_exchange_problems(site),
        *_publisher_problems(site),
        *_payer_problems(site, cost_lamports),
        *_insurance_problems(site, insurance_atoms),
    ]


def check_layouts(chain: Deployment, client: ChainClient) -> None:
    """Raise WrongAccount where another version of a program has made an account: by its size, since bytes of any layout decode somehow."""
    user = chain.dex.user(chain.authority, INSURANCE_SUB_ACCOUNT)
    places = {"Oracle": chain.oracle.pda(b"oracle"), "Exchange": chain.dex.exchange, "Asset": chain.dex.asset(chain.usdc_mint)["asset"]}
    places |= {"Feed": feed_address(chain, 1), "Market": market_address(chain, 1), "User": user, "Fund": chain.liquidation.pda(b"fund")}
    places |= {"Terms": chain.jit.pda(b"terms"), "Governance": chain.governance.governance, "PositionLimits": limits_address(chain, 1)}
    accounts = client.accounts(list(places.values()), commitment="confirmed")
    other = [kind for kind, account in zip(places, accounts, strict=True) if account and len(account.data) != SIZES_BYTES[kind]]
    if other:
        raise WrongAccount(f"{', '.join(other)} on chain: written by another version of the programs.")


def is_governed(chain: Deployment, client: ChainClient) -> bool:
    """Whether the exchange's authority is governance's address."""
    if client.account(chain.dex.exchange, commitment="confirmed") is None:
        return False
    return bool(chain.dex.read_exchange(client, commitment="confirmed").authority == chain.governance.authority)


def batches(chain: Deployment, client: ChainClient) -> int:
    """Return how many batches the exchange on chain has settled."""
    if client.account(chain.dex.exchange, commitment="confirmed") is None:
        return 0
    return int(chain.dex.read_exchange(client, commitment="confirmed").last_seq)


def _mint_problems(site: Site, mint: Pubkey, name: str, *, decimals: int | None) -> list[str]:
    account = site.client.account(mint, commitment="confirmed")
    if account is None or account.owner != TOKEN_PROGRAM_ID:
        return [f"{name}: {mint} is no token of the Token program."]
    found = bytes(account.data)[DECIMALS_AT]
    return [f"{name}: {mint} has {found} decimals, and not {decimals}."] if decimals is not None and found != decimals else []


def _exchange_problems(site: Site) -> list[str]:
    """What an exchange that is there already has otherwise: it was initialised by somebody else, or by other terms."""
    chain = site.deployment
    if not site.is_there(chain.dex.exchange):
        return []
    found = chain.dex.read_exchange(site.client, commitment="confirmed")
    authorities = {chain.authority, chain.governance.authority}
    wrong = [f"The exchange's authority is {found.authority}, and not {chain.authority}."] if found.authority not in authorities else []
    for name, wanted in (("settler", chain.settler), ("custodian", chain.custodian)):
        if getattr(found, name) != wanted:
            wrong.append(f"The exchange's {name} is {getattr(found, name)}, and not {wanted}.")
    if bytes(found.genesis_hash) != chain.genesis_hash:
        wrong.append("The exchange takes orders that are signed for another cluster.")
    if found.assets and not site.is_there(chain.dex.asset(chain.usdc_mint)["asset"]):
        wrong.append(f"The exchange settles in another token than {chain.usdc_mint}.")
    short = too_short(found.parameters)
    return [*wrong, *(f"The exchange was initialised with times that are too short to hold others' money: {line}." for line in short)]


def _publisher_problems(site: Site) -> list[str]:
    chain, count = site.deployment, len(site.deployment.publishers)
    if not 2 <= count <= 5:
        return [f"There are {count} publishers, and not two to five: a feed takes prices by a quorum."]
    feeds = site.client.accounts([feed_address(chain, market.market_id) for market in site.markets], commitment="confirmed")
    return [
        f"{market.symbol}: its feed takes prices of other publishers, for good."
        for market, account in zip(site.markets, feeds, strict=True)
        if account and chain.oracle.account("Feed", account).parameters.publishers != chain.publishers
    ]


def _payer_problems(site: Site, cost_lamports: int) -> list[str]:
    chain = site.deployment
    needed = {"authority": (chain.authority, cost_lamports), "settler": (chain.settler, PAYER_LAMPORTS)}
    needed |= {"publisher-1": (chain.publishers[0], PAYER_LAMPORTS)} if chain.publishers else {}
    held = {name: site.client.balance(key) for name, (key, _) in needed.items()}
    return [
        f"{name} ({key}) has {held[name] / SOL:.6f} SOL, and needs {least / SOL:.6f}."
        for name, (key, least) in needed.items()
        if held[name] < least
    ]


def _insurance_problems(site: Site, insurance_atoms: int) -> list[str]:
    if not insurance_atoms or has_staked(site):
        return []
    source = get_associated_token_address(site.authority.pubkey(), site.deployment.usdc_mint)
    account = site.client.account(source, commitment="confirmed")
    held = int.from_bytes(bytes(account.data)[AMOUNT_AT : AMOUNT_AT + 8], "little") if account else 0
    return [] if held >= insurance_atoms else [f"The authority's account {source} holds less USDC than the insurance is to begin with."]
