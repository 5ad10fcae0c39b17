"""Proofs by z3: for all numbers, not only for those that somebody thought of.

Quotients are whole numbers between brackets, as the machines compute them: `floor(n, d)` is the q with q x d <= n < (q + 1) x d. Products
are taken over the reals, where z3 decides them; what holds for all reals holds for all whole numbers.
"""

from itertools import count

import z3

_NAMES = count()
TIMEOUT_MS = 20_000


class Case:
    """What is known, and what follows from it."""

    def __init__(self) -> None:
        self.known: list[z3.BoolRef] = []

    def numbers(self, names: str, *, least: int | None = None, above: int | None = None) -> list[z3.ArithRef]:
        found = [z3.Real(name) for name in names.split()]
        if least is not None:
            self.known += [number >= least for number in found]
        if above is not None:
            self.known += [number > above for number in found]
        return found

    def given(self, *facts: z3.BoolRef) -> None:
        self.known += facts

    def floor(self, numerator: z3.ArithRef, divisor: z3.ArithRef | int) -> z3.ArithRef:
        """Divide, rounding towards minus infinity; the divisor is positive."""
        quotient = z3.Real(f"quotient {next(_NAMES)}")
        self.known += [quotient * divisor <= numerator, numerator < quotient * divisor + divisor]
        return quotient

    def ceil(self, numerator: z3.ArithRef, divisor: z3.ArithRef | int) -> z3.ArithRef:
        """As the code does it: the negated floor of the negated."""
        return -self.floor(-numerator, divisor)

    def whole(self, low: z3.ArithRef, high: z3.ArithRef) -> None:
        """Use that both are whole: what is less than one more is no more."""
        self.given(z3.Implies(low < high + 1, low <= high))

    def proves(self, claim: z3.BoolRef) -> bool:
        """Is there no way to break the claim, while there is one to keep what is known?"""
        solver = z3.Solver()
        solver.set("timeout", TIMEOUT_MS)
        solver.add(*self.known)
        assert solver.check() == z3.sat, "what is known contradicts itself"
        solver.add(z3.Not(claim))
        return bool(solver.check() == z3.unsat)

    def refutes(self, claim: z3.BoolRef) -> bool:
        """Is there an example against the claim?"""
        solver = z3.Solver()
        solver.set("timeout", TIMEOUT_MS)
        solver.add(*self.known, z3.Not(claim))
        return bool(solver.check() == z3.sat)
