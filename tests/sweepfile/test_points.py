import pytest

from tests.sweepfile.files import faults_of, read, spec_of, the_fault, told, with_parameters

SPACE = """\
  lr: {min: 0.0, max: 1.0}
  opt: {values: [sgd, adam]}
  size: {values: [1, 4]}
  epochs: {value: 3}
  net: {parameters: {depth: {min: 1, max: 9}, kind: {value: cnn}}}"""


def with_points(points: str) -> str:
    return with_parameters(SPACE) + f"points:\n  - {points}\n"


def test_points_are_kept_in_order_and_completed() -> None:
    text = with_points("{lr: 0.5, opt: sgd, size: 1, net: {depth: 2}, epochs: 3}")
    text += "  - {net: {depth: 3, kind: cnn}, opt: adam, size: 4, lr: 1}\n"

    found = spec_of(text).points

    assert [list(point) for point in found] == [["epochs", "lr", "net", "opt", "size"]] * 2
    assert [point["net"] for point in found] == [
        {"depth": 2, "kind": "cnn"},
        {"depth": 3, "kind": "cnn"},
    ]
    assert [point["epochs"] for point in found] == [3, 3]


@pytest.mark.parametrize(
    ("points", "path", "said"),
    [
        ("3", "points[0]", "3 is no mapping"),
        ("{lr: 1}", "points[0]", "says nothing of opt, size, net: give each a value"),
        (
            "{lr: 1, opt: sgd, size: 1, net: {}}",
            "points[0].net",
            "says nothing of depth",
        ),
        ("{lr: 1, opt: sgd, size: 1, net: 3}", "points[0].net", "3 is no mapping"),
        (
            "{lr: 1, opt: sgd, size: 1, net: {depth: 1}, lrr: 2}",
            "points[0].lrr",
            "did you mean lr?",
        ),
        (
            "{lr: 1, opt: sgd, size: 1, net: {depth: 1}, momentum: 2}",
            "points[0].momentum",
            "add it to parameters",
        ),
    ],
)
def test_a_point_that_is_none_is_a_fault(points: str, path: str, said: str) -> None:
    fault = the_fault(with_points(points))

    assert (fault.line, fault.path) == (10, path)
    assert said in fault.message


def test_of_many_missing_parameters_some_are_named() -> None:
    text = with_parameters("\n".join(f"  p{n}: {{values: [1]}}" for n in range(8)))

    assert "p3, p4 and 3 more" in the_fault(text + "points: [{}]").message


@pytest.mark.parametrize(
    ("parameter", "inside", "outside"),
    [
        ("{value: 1}", "1.0", "2"),
        ("{values: [a, 1]}", "a", "2"),
        ("{values: [1, 4]}", "2.5", "5"),
        ("{values: [1], probabilities: [1]}", "1", "a"),
        ("{min: 1, max: 4}", "4", "2.5"),
        ("{min: 1, max: 4}", "1", "true"),
        ("{min: 0.0, max: 1.0}", "0", "-1"),
        ("{distribution: log_uniform_values, min: 1, max: 4}", "2", "0.5"),
        ("{distribution: inv_log_uniform_values, min: 1, max: 4}", "2", "4.5"),
        ("{distribution: normal}", "100", "a"),
        ("{distribution: beta}", "1", "1.5"),
    ],
)
def test_a_value_that_no_draw_gives_is_only_warned_of(
    parameter: str, inside: str, outside: str
) -> None:
    text = with_parameters(f"  x: {parameter}") + "points: [{x: VALUE}]\n"

    quiet = read(text.replace("VALUE", inside))
    loud = read(text.replace("VALUE", outside))

    assert quiet.warnings == ()
    assert [each.path for each in loud.warnings] == ["points[0].x"]


def test_a_parameter_with_a_fault_is_not_blamed_twice() -> None:
    text = with_parameters("  x: 3") + "points: [{x: 1}]\nzip: [[x, x]]"

    assert [each.path for each in faults_of(text)] == ["parameters.x", "zip[0][1]"]


def test_lists_of_equal_length_walk_together() -> None:
    text = with_parameters(
        "  a: {values: [1, 2]}\n  b: {values: [x, y]}\n  c: {values: [1]}", method="grid"
    )

    assert spec_of(text + "zip: [[b, a]]").zip == (("b", "a"),)


@pytest.mark.parametrize(
    ("groups", "path", "said"),
    [
        ("[[opt, lr]]", "zip[0][1]", '"lr" has no list of values'),
        ("[[opt, net]]", "zip[0][1]", '"net" has no list of values'),
        ("[[opt, opts]]", "zip[0][1]", "did you mean opt?"),
        ("[[opt, depth]]", "zip[0][1]", "name one at the top"),
        ("[[opt, size], [size, opt]]", "zip[1][0]", '"size" is zipped twice'),
        ("[[opt, opt]]", "zip[0][1]", '"opt" is zipped twice'),
    ],
)
def test_a_group_that_cannot_walk_together_is_a_fault(groups: str, path: str, said: str) -> None:
    fault = faults_of(with_parameters(SPACE) + f"zip: {groups}")[0]

    assert (fault.line, fault.path) == (9, path)
    assert said in fault.message


def test_lists_of_different_lengths_cannot_walk_together() -> None:
    text = with_parameters("  a: {values: [1, 2]}\n  b: {values: [3]}")

    fault = the_fault(text + "zip: [[a, b]]")

    assert told(fault) == (6, 7, "zip[0]")
    assert "a has 2, b has 1" in fault.message


@pytest.mark.parametrize("key", ["points: [{lr: 1}]", "zip: [[lr, opt]]"])
def test_without_parameters_only_their_lack_is_told(key: str) -> None:
    fault = the_fault(f"method: grid\nprogram: train.py\n{key}\n")

    assert fault.path == "parameters"
