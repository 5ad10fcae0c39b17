"""Handing the exchange over to governance: the last stage. Governance never hands on what it has accepted."""

from solders.instruction import AccountMeta, Instruction
from solders.system_program import TransferParams, transfer

from chain.setup.code import LOADER, Deployed, code_address, read_programs
from chain.setup.sender import Task
from chain.setup.site import Site
from chain.setup.terms import SOL

SET_AUTHORITY = (4).to_bytes(4, "little")  # of the upgradeable loader
RENTS_LAMPORTS = SOL // 5  # of what its first proposals create: a dozen markets with feeds and limits
BY_PROPOSAL = (
    "list an asset, or change the limits of deposits and withdrawals (`governance propose limits`)",
    "create a feed or a market, or change what `risk` tells of one (`governance propose market`)",
    "decide a dispute about a liquidation, upgrade a program, pay from the treasury, change governance itself (`governance propose file`)",
)


def hand_over(site: Site) -> list[Task]:
    """Rents for what governance decides; then authorities, offered and accepted in one transaction each; then the code."""
    chain = site.deployment
    tasks = []
    if site.client.balance(chain.governance.authority) < RENTS_LAMPORTS // 2:
        paid = TransferParams(from_pubkey=site.authority.pubkey(), to_pubkey=chain.governance.authority, lamports=RENTS_LAMPORTS)
        tasks.append(site.task("governance's rents", [transfer(paid)], lamports=RENTS_LAMPORTS))
    exchange, oracle = chain.dex.exchange, chain.oracle.pda(b"oracle")
    for program, holder, kind in ((chain.oracle, oracle, "Oracle"), (chain.dex.program, exchange, "Exchange")):
        account = site.client.account(holder, commitment="confirmed")
        if account is not None and program.account(kind, account).authority == chain.governance.authority:
            continue
        steps = [
            site.make.offer_authority(program, to=chain.governance.authority),
            chain.governance.accept_authority(target=program, holder=holder),
        ]
        tasks.append(site.task(f"{program.name} handed over", steps))
    own = [program for program in read_programs(site.client) if program.upgrades == site.authority.pubkey()]
    return tasks + [site.task(f"upgrades of {program.name}", [_give_upgrades(site, program)]) for program in own]


def _give_upgrades(site: Site, program: Deployed) -> Instruction:
    """Return the loader's instruction after which governance alone replaces the code."""
    metas = [
        AccountMeta(code_address(program.address), is_signer=False, is_writable=True),
        AccountMeta(site.authority.pubkey(), is_signer=True, is_writable=False),
        AccountMeta(site.deployment.governance.authority, is_signer=False, is_writable=False),
    ]
    return Instruction(LOADER, SET_AUTHORITY, metas)


def problems(site: Site) -> list[str]:
    """Say why governance cannot take the exchange over yet."""
    chain = site.deployment
    if not chain.record.stake_mint:
        return ["Nothing can be handed over: governance needs --stake-mint."]
    if not site.is_there(chain.governance.governance):
        return ["There is no governance yet: set up without --govern first, let people stake, and hand over then."]
    known = {None, site.authority.pubkey(), chain.governance.authority}
    wrong = [
        f"{program.name} is upgraded by {program.upgrades}, who hands that over to governance ({chain.governance.authority}) himself."
        for program in read_programs(site.client)
        if program.upgrades not in known
    ]
    state = chain.governance.state(site.client, commitment="confirmed")
    lacks = state.parameters.quorum_atoms - state.staked_atoms
    if lacks > 0:
        wrong.append(f"Governance has not enough stake to decide anything: {lacks:,} atoms more, by `manage.py governance stake`.")
    return wrong
