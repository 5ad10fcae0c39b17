"""Every constraint on every account of every instruction is broken once, of those that only governance itself may send as well."""

from collections.abc import Iterator

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from tests.programs.support.auditor import FREE, Auditor
from tests.programs.support.exchange import USDC
from tests.programs.support.governance import DAY_S, VOTES, Governance
from tests.programs.support.prices import Prices

SENT_BY_GOVERNANCE = {"pay", "set_cap", "set_parameters", "set_guardian"}


def audited() -> tuple[Governance, Auditor]:
    governance = Governance()
    auditor = Auditor(governance.dex, governance.prices.program, governance.program)
    governance.chain = auditor
    for seed in (1, 2, 3, 11, 12, 13, 21, 22, 41):
        auditor.key(seed)
    governance.prices = Prices(auditor, governance.prices.program, governance.payer, governance.authority)
    governance.mints = [auditor.mint(501), auditor.mint(502)]
    governance.stake_mint = auditor.mint(504)
    return governance, auditor


def live(governance: Governance) -> None:
    """Send every instruction that somebody signs."""
    governance.begin_staked()
    governance.create_treasury()
    governance.enact(governance.listing(), governance.new_market())
    governance.tighten(governance.limits(day_atoms=1))
    governance.lower_cap(0)
    governance.veto(governance.propose(governance.limits()))
    governance.cancel(governance.alice, governance.propose(governance.limits()))
    offering = governance.prices.offering(governance.signs, governance.authority.pubkey())
    governance.chain.send([offering], [governance.authority])
    governance.accept(governance.prices)
    governance.wait(30 * DAY_S)
    governance.unstake(governance.alice)


def change_itself(governance: Governance) -> None:
    """Execute every instruction that only governance itself may send."""
    governance.fund(USDC)
    governance.stake(governance.alice, 60 * VOTES, number=1)
    governance.wait(1)
    changes = {
        "set_cap": governance.new_cap(USDC),
        "pay": governance.payment(1),
        "set_parameters": governance.new_parameters(),
        "set_guardian": governance.new_guardian(governance.bob.pubkey()),
    }
    for name, instruction in changes.items():
        number = governance.propose(instruction, number=1)
        governance.vote(governance.alice, number, number=1)
        governance.wait_for(number)
        governance.execute(number, label=name)
        governance.wait(5 * DAY_S)


def test_no_account_of_any_instruction_can_be_exchanged() -> None:
    governance, auditor = audited()
    live(governance)
    assert auditor.accepted == []
    for name, described in governance.program.instructions.items():
        if name not in SENT_BY_GOVERNANCE:
            roles = {account["name"] for account in described["accounts"]}
            assert roles - auditor.tried.get(name, set()) <= {"payer", "system_program"}, name


def test_no_account_of_what_governance_sends_can_be_exchanged() -> None:
    governance, auditor = audited()
    auditor.watching = False
    governance.begin_staked()
    governance.create_treasury()
    governance.fund(USDC)
    governance.enact(governance.new_cap(USDC))
    governance.wait(5 * DAY_S)
    tried = 0
    for instruction in (
        governance.payment(1),
        governance.new_cap(1),
        governance.new_parameters(),
        governance.new_guardian(governance.bob.pubkey()),
    ):
        assert passes(governance, auditor, instruction)
        for changed in exchanged(auditor, governance, instruction):
            assert not passes(governance, auditor, changed)
            tried += 1
    assert tried > 30


def exchanged(auditor: Auditor, governance: Governance, instruction: Instruction) -> Iterator[Instruction]:
    described = next(item for item in governance.program.idl["instructions"] if bytes(item["discriminator"]) == bytes(instruction.data)[:8])
    for index, account in enumerate(described["accounts"]):
        assert account["name"] not in FREE
        for _, key, _ in auditor._others(account["name"], instruction.accounts[index].pubkey, governance.program.id):
            yield with_account(instruction, index, key)


def with_account(instruction: Instruction, index: int, key: Pubkey) -> Instruction:
    metas = list(instruction.accounts)
    # Governance signs for nobody else; what only lacks a signature is refused as well.
    metas[index] = AccountMeta(key, is_signer=False, is_writable=metas[index].is_writable)
    return Instruction(instruction.program_id, bytes(instruction.data), metas)


def passes(governance: Governance, auditor: Auditor, instruction: Instruction) -> bool:
    """Would it be executed, if it was decided?"""
    number = governance.decide(instruction)
    return auditor._passes([governance.execution(number)], [governance.charlie])
