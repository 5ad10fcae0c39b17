"""Shares: of a pool that people join and leave, and of a vault that is too small for all claims."""

import z3

from tests.proofs.support import Case

PAR = 1_000_000


class Pool:
    """The insurance fund's pool: as many shares nobody owns as an atom buys at first, over one atom that nobody owns."""

    def __init__(self, case: Case) -> None:
        self.assets, self.shares = case.numbers("assets shares", least=0)
        self.all_atoms, self.all_shares = self.assets + 1, self.shares + PAR

    def is_no_cheaper(self, assets: z3.ArithRef, shares: z3.ArithRef) -> z3.BoolRef:
        """Is a share worth at least what it was? Without a division: atoms x old shares >= old atoms x shares."""
        return (assets + 1) * self.all_shares >= self.all_atoms * (shares + PAR)


def test_joining_makes_no_share_cheaper() -> None:
    case = Case()
    pool = Pool(case)
    (amount,) = case.numbers("amount", above=0)
    bought = case.floor(amount * pool.all_shares, pool.all_atoms)
    assert case.proves(pool.is_no_cheaper(pool.assets + amount, pool.shares + bought))
    assert case.refutes(pool.is_no_cheaper(pool.assets + amount, pool.shares + bought + 1))


def test_leaving_makes_no_share_cheaper() -> None:
    """Also while a part is spoken for: what is withheld makes the one who leaves get less."""
    case = Case()
    pool = Pool(case)
    sold, withheld = case.numbers("sold withheld", least=0)
    case.given(sold <= pool.shares, withheld <= pool.assets)
    paid = case.floor(sold * (pool.all_atoms - withheld), pool.all_shares)
    assert case.proves(pool.is_no_cheaper(pool.assets - paid, pool.shares - sold))


def test_all_shares_together_are_worth_no_more_than_the_assets() -> None:
    case = Case()
    pool = Pool(case)
    worth = case.floor(pool.shares * pool.all_atoms, pool.all_shares)
    case.whole(worth, pool.assets)
    assert case.proves(worth <= pool.assets)


def test_joining_and_leaving_at_once_gains_nothing() -> None:
    case = Case()
    pool = Pool(case)
    (amount,) = case.numbers("amount", above=0)
    bought = case.floor(amount * pool.all_shares, pool.all_atoms)
    back = case.floor(bought * (pool.all_atoms + amount), pool.all_shares + bought)
    case.given(bought >= 0)
    assert case.proves(back <= amount)


def test_a_haircut_pays_no_more_than_there_is_and_leaves_dust() -> None:
    """`Escape::share`: claims above the vault, each part rounded down."""
    case = Case()
    claims = case.numbers("alice bob charlie", least=0)
    (vault,) = case.numbers("vault", least=0)
    total = sum(claims, start=z3.RealVal(0))
    case.given(total > vault)
    paid = [case.floor(claim * vault, total) for claim in claims]
    assert case.proves(z3.And(sum(paid) <= vault, vault - sum(paid) < 3))
    assert case.proves(z3.And(*[part <= claim for part, claim in zip(paid, claims, strict=True)]))
    assert case.refutes(sum(paid) == vault)


def test_the_custodians_accounts_claim_no_more_than_they_are_worth_together() -> None:
    """`Escape::claim`: a haircut of their own, before that of all."""
    case = Case()
    first, second, debt = case.numbers("first second debt", least=0)
    case.given(first + second > 0, debt <= first + second)
    payable = first + second - debt
    parts = [case.floor(claim * payable, first + second) for claim in (first, second)]
    assert case.proves(z3.And(sum(parts) <= payable, payable - sum(parts) < 2))
    assert case.refutes(parts[0] == first)
