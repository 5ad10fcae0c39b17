"""The table of states and actions, cell by cell."""

from typing import get_args

import pytest

from oracle.actions import STATES, Action, IndexState, allows

#                    valid single uncertain disputed stale halted
TABLE = """
match                yes   yes    no        no       no    no
post                 yes   yes    yes       no       no    no
reduce               yes   yes    yes       yes      yes   no
cancel               yes   yes    yes       yes      yes   yes
mark                 yes   yes    yes       no       no    no
trigger              yes   yes    no        no       no    no
fund                 yes   yes    no        no       no    no
liquidate            yes   yes    no        no       no    no
withdraw             yes   yes    no        no       no    no
value_collateral     yes   yes    no        no       no    no
convert              yes   yes    no        no       no    no
settle               yes   yes    no        no       no    no
"""
ROWS = {line.split()[0]: line.split()[1:] for line in TABLE.split("\n") if line}
CELLS = [(state, action, word == "yes") for action, words in ROWS.items() for state, word in zip(STATES, words, strict=True)]


@pytest.mark.parametrize(("state", "action", "allowed"), CELLS)
def test_it_allows_what_the_table_says(state: IndexState, action: Action, allowed: bool) -> None:
    assert allows(state, action) is allowed


def test_it_has_a_cell_for_each_state_and_action() -> None:
    assert set(STATES) == set(get_args(IndexState))
    assert set(ROWS) == set(get_args(Action))
    assert len(CELLS) == len(STATES) * len(ROWS)
