import pytest

from sweeper.domain.search import SamplerName, SearchSpec
from sweeper.domain.sweep import Method, Order
from tests.sweepfile.files import PLAIN, a_context, faults_of, read, spec_of, the_fault, told


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("griid", "did you mean grid?"),
        ("custom", "write grid, random or bayes"),
        ("hyperopt", "write grid, random or bayes"),
        ("3", "3 is no method"),
        ("[grid]", "a list is no method"),
    ],
)
def test_a_method_that_is_none_is_a_fault(written: str, said: str) -> None:
    fault = the_fault(PLAIN.replace("method: random", f"method: {written}"))

    assert (fault.line, fault.path) == (1, "method")
    assert said in fault.message


def test_what_is_missing_at_the_top_is_told() -> None:
    found = faults_of("program: train.py")

    assert [each.path for each in found] == ["method", "parameters"]
    assert "write grid, random or bayes" in found[0].message
    assert "name: {values: [...]}" in found[1].message


def test_bayes_alone_is_searched_by_tpe() -> None:
    text = PLAIN.replace("random", "bayes") + "metric: {name: loss}"

    found = read(text, a_context(strict=True))

    assert found.spec.method is Method.BAYES
    assert found.spec.search == SearchSpec(sampler=SamplerName.TPE, is_implied=True)


def test_bayes_needs_a_metric() -> None:
    assert "bayes needs a metric" in the_fault(PLAIN.replace("random", "bayes")).message


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("paramters: {}", "did you mean parameters?"),
        ("runcap: 3", "did you mean run_cap?"),
        ("limit: {}", "did you mean limits?"),
        ("Training: {}", "did you mean training?"),
    ],
)
def test_a_key_that_resembles_a_known_one_is_a_fault(written: str, said: str) -> None:
    fault = the_fault(PLAIN + written)

    assert told(fault) == (6, 1, written.partition(":")[0])
    assert said in fault.message


def test_any_other_key_is_a_violation() -> None:
    text = PLAIN + "notes: [for, me]\n"

    found = read(text)

    assert [told(each) for each in found.violations] == [(6, 1, "notes")]
    assert told(the_fault(text, a_context(strict=True))) == (6, 1, "notes")


def test_what_is_not_carried_out_yet_is_a_fault() -> None:
    fault = the_fault(PLAIN + "metrics: {}")

    assert told(fault) == (6, 1, "metrics")
    assert "this version does not carry out metrics" in fault.message


@pytest.mark.parametrize("written", ["objective: push", "notify: []", "objective:", "notify: ~"])
def test_what_asks_for_nothing_is_harmless(written: str) -> None:
    found = read(PLAIN + written)

    assert (found.violations, found.warnings) == ((), ())


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("run_cap: 0", "0 is too small: write 1 or more"),
        ("run_cap: ten", '"ten" is no whole number'),
        ("seed: -1", "write 0 or more"),
        ("seed: 9223372036854775808", "is too large: write 9223372036854775807 or less"),
        ("order: random", "write 'file' or 'shuffled'"),
        ("repeats: true", "true is no whole number"),
        ("program: [a]", "a list is no text"),
        ("program: ''", "is empty"),
        ("points: {a: 1}", "is no list"),
        ("zip: [a]", "is no list"),
        ("zip: [[a]]", "write 2 or more"),
    ],
)
def test_what_does_not_fit_at_the_top_is_a_fault(written: str, said: str) -> None:
    (fault,) = faults_of(PLAIN.replace("program: train.py\n", "") + "command: [x]\n" + written)

    assert fault.line == 6
    assert said in fault.message


def test_keys_of_ours_are_read() -> None:
    found = spec_of(PLAIN + "run_cap: 1e2\nseed: 7\norder: shuffled\nrepeats: 3\ndescription: x")

    assert (found.run_cap, found.seed, found.order) == (100, 7, Order.SHUFFLED)
    assert (found.repeats, found.description) == (3, "x")


@pytest.mark.parametrize(
    "written",
    [
        "entity: lab\nproject: p\napiVersion: v1\nkind: sweep\ncontroller: {type: local}",
        "description: x\ncontroller: {type: cloud}",
    ],
)
def test_labels_of_w_and_b_pass_quietly(written: str) -> None:
    found = read(PLAIN + written)

    assert (found.violations, found.warnings) == ((), ())


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("job: a/b/c", "starts what program and command say"),
        ("image_uri: x:1", "training.spec.image"),
        ("launch: {queue: q}", "training and limits"),
        ("scheduler: {job: x, num_workers: 3}", "limits.active"),
        ("scheduler: {engine: wandb}", "limits.active"),
        ("settings: {a: 1}", "does not read it"),
    ],
)
def test_what_is_for_w_and_bs_launch_is_explained(written: str, said: str) -> None:
    found = read(PLAIN + written)

    (warning,) = found.warnings
    assert said in warning.message
    assert warning.line == 6
    assert found.violations == ()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("description:", "says nothing: remove the key"),
        ("run_cap: ~", "says nothing: remove the key"),
        ("controller: cloud", "write {type: cloud}"),
        ("controller: {type: remote}", "write {type: cloud}"),
        ("scheduler: {source: a.py}", "needs an engine"),
        ("scheduler: {engine: optuna}", 'optuna does not go with method "random"'),
        ("scheduler: {engine: wandb, sorce: a.py}", "does not know this key"),
        ("scheduler: {engine: wandb, source: 3}", "3 is no text"),
        ("scheduler: {engine: wandb, optimizer: f}", "is a function of source"),
        ("controller: {type: local}\nscheduler: {engine: wandb}", "local controller"),
    ],
)
def test_what_w_and_b_complains_about_in_its_own_keys_is_a_violation(
    written: str, said: str
) -> None:
    (violation,) = read(PLAIN + written).violations

    assert said in violation.message


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("project: 2024", "2024 is no text: quote it"),
        ("description: [x]", "a list is no text"),
        ("kind: Sweep", "write sweep"),
    ],
)
def test_labels_that_are_no_text_are_violations(written: str, said: str) -> None:
    (violation,) = read(PLAIN + written).violations

    assert said in violation.message


def test_a_launch_job_without_a_command_has_nothing_to_start() -> None:
    found = read(PLAIN.replace("program: train.py\n", "job: lab/x:latest\n")).warnings

    assert ["job" in each.path for each in found] == [False, True]
    assert "W&B Launch" in found[1].message
