import pytest

from sweeper.domain.search import SamplerName, SearchSpec
from tests.sweepfile.files import PLAIN, read, the_fault, told

METRIC = "metric: {name: loss}\n"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("{sampler: sobol}", SearchSpec(sampler=SamplerName.SOBOL)),
        ("{sampler: halton}", SearchSpec(sampler=SamplerName.HALTON)),
        ("{sampler: gp, startup: 5, deterministic: true}", None),
        ("{sampler: tpe, startup: 1e1, candidates: 50, multivariate: false}", None),
        ("{sampler: cmaes, sigma: 0.2, population: 8}", None),
    ],
)
def test_a_sampler_is_read_with_its_options(written: str, meant: SearchSpec | None) -> None:
    search = read(PLAIN + METRIC + f"search: {written}\n").spec.search

    assert search is not None
    assert not search.is_implied
    if meant is not None:
        assert search == meant
    else:
        assert len(search.options) == written.count(":") - 1


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (PLAIN + "search: {sampler: magic}", (6, 19), '"magic" is not known'),
        (PLAIN + "search: {startup: 3}", (6, 1), "sampler is missing"),
        (PLAIN + METRIC + "search: {sampler: tpe, sigma: 1}", (7, 1), "tpe has no sigma"),
        (PLAIN + "search: {sampler: sobol, startup: 1}", (6, 1), "sobol has no startup"),
        (PLAIN + METRIC + "search: {sampler: tpe, startup: 0}", (7, 33), "too small"),
        (PLAIN + METRIC + "search: {sampler: tpe, sartup: 2}", (7, 24), "did you mean startup"),
        (PLAIN + "search: {sampler: tpe}", (6, 1), "tpe needs a metric"),
        (PLAIN + "search: tpe", (6, 9), "write {sampler: tpe}"),
        (
            PLAIN.replace("random", "bayes") + METRIC + "search: {sampler: sobol}",
            (7, 1),
            "learns from no result",
        ),
    ],
)
def test_what_cannot_be_searched_is_refused_with_a_remedy(
    text: str, place: tuple[int, int], words: str
) -> None:
    fault = the_fault(text)

    assert words in fault.message
    assert told(fault)[:2] == place


def test_a_model_may_learn_from_other_sweeps() -> None:
    text = PLAIN + METRIC + "search: {sampler: tpe, startup: 5, warm_start: [old, r.json]}\n"

    search = read(text).spec.search

    assert search is not None
    assert (search.warm_start, search.options) == (("old", "r.json"), {"startup": 5})


def test_what_learns_nothing_starts_from_nothing() -> None:
    text = PLAIN + "search: {sampler: sobol, warm_start: [old]}\n"

    assert "sobol has no warm_start" in the_fault(text).message


def test_a_grid_is_not_searched() -> None:
    text = (
        "method: grid\nparameters: {a: {values: [1, 2]}}\nprogram: t.py\nsearch: {sampler: sobol}"
    )

    assert "a grid is walked" in the_fault(text).message
