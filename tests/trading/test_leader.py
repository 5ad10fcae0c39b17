"""What the leader answers when it cannot say what was asked."""

import msgspec
import pytest

from markets import wire
from markets.queries import GetMarkets
from trading.runner.leader import answered

ASK = wire.Ask(7, GetMarkets())


@pytest.mark.parametrize("figure", [1 << 64, -(1 << 64)])
def test_it_refuses_an_answer_that_no_message_can_carry(figure: int) -> None:
    refused = answered(ASK, lambda: [figure])
    assert isinstance(refused, wire.Malformed)
    assert refused.id == 7


def test_it_answers_with_what_was_found() -> None:
    assert answered(ASK, lambda: [1, 2]) == wire.Answered(7, msgspec.Raw(wire.encoder.encode([1, 2])))
