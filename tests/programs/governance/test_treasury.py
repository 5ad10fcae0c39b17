"""What the treasury pays was voted on, waited, and stays below a cap that nobody lifts at once."""

import pytest

from tests.programs.support.exchange import HOUR_S, USDC
from tests.programs.support.governance import DAY_S, Governance
from tests.programs.support.svm import TAKEN, Refused, refused

CAP = 1_000 * USDC


@pytest.fixture
def rich(governance: Governance) -> Governance:
    """The treasury has 100,000 USDC and pays up to 1,000 a day."""
    governance.create_treasury()
    governance.fund(100_000 * USDC)
    governance.enact(governance.new_cap(CAP))
    governance.wait(5 * DAY_S)
    return governance


def paid(governance: Governance) -> int:
    """Return what has left the vault."""
    return 100_000 * USDC - governance.chain.tokens(governance.treasury_accounts()["vault"])


def test_it_pays_what_was_decided(rich: Governance) -> None:
    before = rich.chain.tokens(rich.wallet(rich.charlie))
    rich.enact(rich.payment(CAP))
    assert rich.chain.tokens(rich.wallet(rich.charlie)) == before + CAP
    assert paid(rich) == CAP


def test_a_treasury_is_made_once_and_pays_nothing_at_first(governance: Governance) -> None:
    governance.create_treasury()
    governance.fund(USDC)
    with pytest.raises(Refused, match=TAKEN):
        governance.create_treasury()
    number = governance.decide(governance.payment(1))
    with refused("AboveCap"):
        governance.execute(number)


def test_it_never_pays_above_the_cap(rich: Governance) -> None:
    number = rich.decide(rich.payment(CAP + 1))
    with refused("AboveCap"):
        rich.execute(number)
    assert paid(rich) == 0


def test_two_payments_share_a_cap(rich: Governance) -> None:
    number = rich.decide(rich.payment(CAP), rich.payment(1))
    rich.execute(number, 0)
    with refused("AboveCap"):
        rich.execute(number, 1)
    rich.wait(DAY_S - HOUR_S)
    with refused("AboveCap"):
        rich.execute(number, 1)
    rich.wait(2 * HOUR_S)
    rich.execute(number, 1)
    assert paid(rich) == CAP + 1


def test_two_proposals_share_a_cap(rich: Governance) -> None:
    """Both waited together; midnight between them changes nothing."""
    numbers = [rich.propose(rich.payment(CAP)), rich.propose(rich.payment(CAP))]
    for number in numbers:
        rich.vote(rich.alice, number)
    rich.wait_for(numbers[1])
    rich.wait(DAY_S - rich.chain.now % DAY_S - 1)
    rich.execute(numbers[0])
    rich.wait(2)
    with refused("AboveCap"):
        rich.execute(numbers[1])
    assert paid(rich) == CAP


def test_a_raised_cap_waits_once_more(rich: Governance) -> None:
    rich.enact(rich.new_cap(5 * CAP))
    treasury = rich.treasury()
    assert (treasury["cap_day_atoms"], treasury["next_cap_atoms"]) == (CAP, 5 * CAP)
    assert treasury["next_cap_at"] == rich.chain.now + 5 * DAY_S
    number = rich.propose(rich.payment(2 * CAP))
    rich.vote(rich.alice, number)
    rich.wait_for(number)
    rich.execute(number)
    assert paid(rich) == 2 * CAP


def test_nobody_lifts_a_cap_and_pays_in_one_proposal(rich: Governance) -> None:
    number = rich.decide(rich.new_cap(100 * CAP), rich.payment(CAP + 1))
    rich.execute(number, 0)
    with refused("AboveCap"):
        rich.execute(number, 1)


def test_a_lower_cap_holds_at_once(rich: Governance) -> None:
    rich.enact(rich.new_cap(5 * CAP))
    rich.lower_cap(CAP // 2)
    treasury = rich.treasury()
    assert (treasury["cap_day_atoms"], treasury["next_cap_at"]) == (CAP // 2, 0)
    with refused("NotLower"):
        rich.lower_cap(CAP // 2 + 1)
    number = rich.decide(rich.payment(CAP))
    with refused("AboveCap"):
        rich.execute(number)


def test_it_pays_to_an_account_of_its_token_other_than_its_own(rich: Governance) -> None:
    wrong = [
        rich.payment(1, rich.wallet(rich.charlie, asset=1)),
        rich.payment(1, rich.treasury_accounts()["vault"]),
        rich.payment(1, vault=rich.wallet(rich.alice)),
        rich.payment(1, treasury_authority=rich.signs),
        rich.payment(0),
    ]
    errors = ("ConstraintTokenMint", "ConstraintDuplicateMutableAccount", "WrongTokenAccount", "ConstraintSeeds", "ZeroAmount")
    for instruction, error in zip(wrong, errors, strict=True):
        number = rich.decide(instruction)
        with refused(error):
            rich.execute(number)
    assert paid(rich) == 0
