import pytest

from tests.programs.support.governance import Governance


@pytest.fixture
def governance() -> Governance:
    """Alice has 60 votes, Bob 40; the exchange lists nothing yet."""
    governance = Governance()
    governance.begin_staked()
    return governance
