"""The chain's work for Celery. Each task is safe to run twice, or beside itself: rows and the chain know what was done."""

import structlog
from celery import shared_task
from django.conf import settings

from chain.cranks import turn_prices
from chain.custody import running as custody
from chain.deployment import deployment
from chain.errors import ChainError
from chain.keepers import metrics as keeper_metrics
from chain.keepers.actions import Sender
from chain.keepers.keeper import Keeper
from chain.keepers.programs import programs_in
from chain.keepers.running import ACTING, keep_once
from chain.outbox.faults import fault_text, is_fault
from chain.settlement.reconciliation import reconcile
from chain.settlement.retention import forget
from chain.settlement.running import keep_settled
from chain.settlement.stops import stop
from markets.errors import GatewayError
from markets.gateway import gateway
from markets.queries import GetMarkets

CUSTODY_S = 9.0
SETTLEMENT_S = 9.0
log = structlog.get_logger("chain")


@shared_task
def publish_prices() -> int:
    """Bring the engine's fresh prices on chain; returns of how many markets. What fails now is newer in the next run."""
    try:
        found = deployment()
        views = gateway().query(GetMarkets())
        with found.client() as client:
            return turn_prices(deployment=found, client=client, views=views)
    except (ChainError, GatewayError) as error:
        log.warning("prices_not_published", code=error.code)
        return 0


@shared_task
def keep_custody() -> None:
    """Follow the chain's events, open wallets' accounts and bring withdrawals on, until the next run is due."""
    try:
        found = deployment()
        with found.client() as client:
            custody.keep_custody(client=client, chain=found, for_s=CUSTODY_S)
    except ChainError as error:
        log.warning("custody_not_kept", code=error.code)


@shared_task
def settle_journal() -> None:
    """Settle what the engine has journalled, until the next run is due."""
    try:
        found = deployment()
        with found.client() as client:
            keep_settled(deployment=found, client=client, for_s=SETTLEMENT_S)
    except ChainError as error:
        log.warning("settlement_waits", code=error.code)


@shared_task
def forget_settled() -> dict[str, int]:
    """Forget batches, signatures and attempts that are older than is kept; nothing while the chain cannot be asked what is final."""
    try:
        found = deployment()
        with found.client() as client:
            return forget(deployment=found, client=client)
    except ChainError as error:
        log.warning("settled_not_forgotten", code=error.code)
        return {}


@shared_task
def reconcile_chain() -> bool | None:
    """Compare vault, program and ledger; None where the chain could not be read, or moves too fast to be compared now."""
    try:
        chain = deployment()
        with chain.client() as client:
            found = reconcile(deployment=chain, client=client)
        return None if found is None else found.ok
    except ChainError as error:
        log.warning("not_reconciled", code=error.code)
        return None
    except Exception as error:
        if not is_fault(error):
            raise
        log.exception("reconciliation_fault")
        stop(reason=fault_text(error))
        return False


@shared_task
def keep_exchange() -> int:
    """Do what anybody may for the exchange, but say that it is silent; returns how many transactions did something."""
    try:
        chain = deployment()
        settler = chain.keys.settler
        keeper = Keeper(programs=programs_in(settings.CHAIN_PROGRAMS), key=settler.pubkey(), pyth_shard=settings.PYTH_SOLANA_SHARD)
        with chain.client() as client:
            results, _ = keep_once(jobs=ACTING, keeper=keeper, client=client, sender=Sender(client=client, payer=settler))
    except ChainError as error:
        log.warning("exchange_not_kept", code=error.code)
        return 0
    keeper_metrics.count(results)
    return sum(result.outcome == "done" for result in results)
