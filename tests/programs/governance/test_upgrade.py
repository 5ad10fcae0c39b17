"""Governance upgrades programs: with code that everybody could read before the vote, and not before everybody could leave."""

import hashlib
import struct

import pytest
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from tests.programs.support.governance import DAY_S, Governance
from tests.programs.support.svm import Refused, refused
from tests.programs.support.upgrades import BUFFERED_AT, CODE_AT, LOADER, deploy, program_data, upgrade, write_buffer

NEW = 71


@pytest.fixture
def upgradeable(governance: Governance) -> Governance:
    """The exchange's program can be upgraded, by governance only."""
    deploy(governance.chain, governance.dex.id, governance.dex.path.read_bytes() + bytes(64), governance.signs)
    governance.wait(1)
    return governance


def new_code(governance: Governance) -> bytes:
    """Return the same program in another file: it ends otherwise."""
    return governance.dex.path.read_bytes() + bytes([7] * 32)


def proposed_upgrade(governance: Governance, *, owner: Pubkey | None = None) -> tuple[Instruction, bytes]:
    code = new_code(governance)
    buffer = write_buffer(governance.chain, NEW, code, owner or governance.signs)
    return upgrade(governance.dex.id, buffer, governance.signs, governance.charlie.pubkey()), hashlib.sha256(code).digest()


def deployed(governance: Governance) -> bytes:
    return governance.chain.data(program_data(governance.dex.id))[CODE_AT:]


def test_it_upgrades_after_longer_than_an_exit(upgradeable: Governance) -> None:
    instruction, code_hash = proposed_upgrade(upgradeable)
    number = upgradeable.propose(instruction, code_hash=code_hash)
    upgradeable.vote(upgradeable.alice, number)
    ballot = upgradeable.ballot(number)
    for moment in (ballot["votes_until"] + 1, ballot["votes_until"] + DAY_S, ballot["ready_at"] - 1):
        upgradeable.wait(moment - upgradeable.chain.now)
        with refused("TooEarly"):
            upgradeable.execute(number)
    upgradeable.wait(1)
    before = deployed(upgradeable)
    upgradeable.execute(number)
    assert deployed(upgradeable) != before
    assert deployed(upgradeable).startswith(new_code(upgradeable))
    upgradeable.wait(1)
    upgradeable.create_user(upgradeable.alice)


def test_nobody_upgrades_past_governance(upgradeable: Governance) -> None:
    instruction, _ = proposed_upgrade(upgradeable)
    for signer in (upgradeable.charlie, upgradeable.guardian, upgradeable.authority):
        metas = [*list(instruction.accounts)[:-1], AccountMeta(signer.pubkey(), is_signer=True, is_writable=False)]
        with pytest.raises(Refused, match="IncorrectAuthority"):
            upgradeable.chain.send([Instruction(LOADER, bytes(instruction.data), metas)], [signer])
    with refused("NotTightening"):
        upgradeable.tighten(instruction)


def test_the_buffer_must_be_governances_before_the_vote(upgradeable: Governance) -> None:
    """Whoever could still write it could change what was voted on."""
    number = upgradeable.draft(upgradeable.alice, "Loosening")
    for owner in (upgradeable.alice.pubkey(), upgradeable.guardian.pubkey()):
        instruction, _ = proposed_upgrade(upgradeable, owner=owner)
        with refused("WrongBuffer"):
            upgradeable.add(upgradeable.alice, number, 0, instruction, [instruction.accounts[2].pubkey])
    nobodys = write_buffer(upgradeable.chain, NEW, new_code(upgradeable), None)
    instruction = upgrade(upgradeable.dex.id, nobodys, upgradeable.signs, upgradeable.charlie.pubkey())
    with refused("WrongBuffer"):
        upgradeable.add(upgradeable.alice, number, 0, instruction, [nobodys])
    proposed_upgrade(upgradeable)
    with refused("WrongBuffer"):
        upgradeable.add(upgradeable.alice, number, 0, instruction)
    with refused("WrongBuffer"):
        upgradeable.add(upgradeable.alice, number, 0, instruction, [program_data(upgradeable.dex.id)])


def test_what_is_no_buffer_is_no_code(upgradeable: Governance) -> None:
    number = upgradeable.draft(upgradeable.alice, "Loosening")
    for wrong in (program_data(upgradeable.dex.id), upgradeable.dex.id, upgradeable.governance, upgradeable.charlie.pubkey()):
        instruction = upgrade(upgradeable.dex.id, wrong, upgradeable.signs, upgradeable.charlie.pubkey())
        with pytest.raises(Refused, match=r"^(WrongBuffer|TransactionErrorInstructionError)"):
            upgradeable.add(upgradeable.alice, number, 0, instruction, [wrong])


def test_other_code_than_was_voted_on_is_not_brought_in(upgradeable: Governance) -> None:
    """Even if the loader let somebody write the buffer, which it does not."""
    instruction, code_hash = proposed_upgrade(upgradeable)
    number = upgradeable.decide(instruction, code_hash=code_hash)
    buffer = instruction.accounts[2].pubkey
    account = upgradeable.chain.svm.get_account(buffer)
    assert account is not None
    data = bytearray(account.data)
    data[BUFFERED_AT + len(new_code(upgradeable)) - 1] ^= 1
    upgradeable.chain.svm.set_account(buffer, type(account)(account.lamports, bytes(data), account.owner))
    with refused("WrongBuffer"):
        upgradeable.execute(number)


@pytest.mark.parametrize("tag", [0, 1, 2, 4, 5, 6, 7])
def test_the_upgrade_authority_is_never_given_away(upgradeable: Governance, tag: int) -> None:
    """Nor is a program closed: whoever had the authority would wait for nothing."""
    number = upgradeable.draft(upgradeable.alice, "Loosening")
    buffer = write_buffer(upgradeable.chain, NEW, b"", upgradeable.signs)
    instruction = upgrade(upgradeable.dex.id, buffer, upgradeable.signs, upgradeable.charlie.pubkey(), data=struct.pack("<I", tag))
    with refused("NotAllowed"):
        upgradeable.add(upgradeable.alice, number, 0, instruction, [buffer])
    longer = upgrade(upgradeable.dex.id, buffer, upgradeable.signs, upgradeable.charlie.pubkey(), data=struct.pack("<IB", 3, 0))
    with refused("NotAllowed"):
        upgradeable.add(upgradeable.alice, number, 0, longer, [buffer])


@pytest.mark.parametrize("place", ["data", "program", "buffer"])
def test_no_other_program_gets_hold_of_code(upgradeable: Governance, place: str) -> None:
    """It would have governance's signature for the loader, and so could do what is never executed."""
    buffer = write_buffer(upgradeable.chain, NEW, b"", upgradeable.signs)
    key = {"data": program_data(upgradeable.dex.id), "program": upgradeable.dex.id, "buffer": buffer}[place]
    upgradeable.enact(upgradeable.listing())
    called = upgradeable.limits(day_atoms=1)
    for writable in (False, True):
        metas = [*called.accounts, AccountMeta(key, is_signer=False, is_writable=writable)]
        number = upgradeable.decide(Instruction(called.program_id, bytes(called.data), metas))
        if writable:
            with refused("NotAllowed"):
                upgradeable.execute(number)
        else:
            upgradeable.execute(number)
