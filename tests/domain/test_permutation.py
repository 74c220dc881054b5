from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.permutation import Permutation


@given(seed=st.integers(), size=st.integers(1, 300))
def test_every_index_is_met_once(seed: int, size: int) -> None:
    order = Permutation(seed=seed, size=size)

    assert sorted(order.at(index) for index in range(size)) == list(range(size))


def test_another_seed_gives_another_order() -> None:
    one, other = (Permutation(seed=seed, size=50) for seed in (1, 2))

    assert [one.at(index) for index in range(50)] != [other.at(index) for index in range(50)]


def test_over_many_seeds_every_place_sees_every_index_about_as_often() -> None:
    firsts = Counter(Permutation(seed=seed, size=6).at(0) for seed in range(1200))

    assert set(firsts) == set(range(6))
    assert max(firsts.values()) < 1.5 * min(firsts.values())


def test_a_range_of_any_size_is_shuffled_without_being_held() -> None:
    size = 10**5000

    place = Permutation(seed=0, size=size).at(size - 1)

    assert 0 <= place < size


def test_an_order_stays_the_same_in_every_release() -> None:
    few = Permutation(seed=7, size=10)
    some = Permutation(seed=7, size=1000)

    assert [few.at(index) for index in range(10)] == [4, 2, 3, 1, 9, 6, 0, 8, 5, 7]
    assert [some.at(index) for index in range(5)] == [506, 598, 475, 133, 142]
    assert [Permutation(seed=7, size=16).at(index) for index in range(3)] == [15, 13, 9]
    assert [Permutation(seed=7, size=17).at(index) for index in range(3)] == [14, 10, 5]
    assert Permutation(seed=7, size=60_000).at(0) == 43436
    assert Permutation(seed=7, size=10**30).at(1) == 719412324725218004270160656078
