from fractions import Fraction

from sweeper.local.quotas import Excess, Kind
from sweeper.local.waits import over_limit, over_quota, reason_word


def test_amounts_are_told_in_the_units_of_people() -> None:
    excess = Excess("vision", Kind.MEMORY, Fraction(64 * 10**9), Fraction(0), Fraction(10**11))

    assert "Limit is 64 GB, currently 0 GB allocated and workload requested 100 GB" in (
        over_limit(excess).message
    )


def test_more_than_the_bound_alone_waits_for_ever() -> None:
    too_much = Excess("a", Kind.GPUS, Fraction(1), Fraction(0), Fraction(2))
    for_now = Excess("a", Kind.GPUS, Fraction(2), Fraction(1), Fraction(2))

    assert over_quota(too_much).is_forever
    assert not over_quota(for_now).is_forever


def test_only_reasons_of_quotas_are_in_the_listing() -> None:
    words = [reason_word(word) for word in ("OverLimit", "NonPreemptibleOverQuota", "other")]

    assert words == ["OverLimit", "NonPreemptibleOverQuota", None]
