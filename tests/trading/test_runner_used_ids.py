from tests.trading.exchange import ALICE, BOB
from trading.runner.used_ids import BloomFilter


def test_it_never_forgets_an_id_however_many_follow() -> None:
    bloom = BloomFilter(capacity=100)
    keys = [(ALICE, f"id-{number}") for number in range(5_000)]
    for key in keys:
        bloom.add(key)
    assert all(key in bloom for key in keys)


def test_it_rarely_mistakes_a_new_id_for_a_used_one() -> None:
    bloom = BloomFilter(capacity=20_000)
    for number in range(20_000):
        bloom.add((ALICE, f"id-{number}"))
    mistaken = sum((BOB, f"id-{number}") in bloom for number in range(20_000))
    assert mistaken < 400
