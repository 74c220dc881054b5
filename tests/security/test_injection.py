"""No value and no name of a parameter becomes anything but what it is, all the way to a program."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

import pytest

from sweeper.bootstrap.attempts import rehearsal
from sweeper.domain.expansion import Expansion
from sweeper.domain.rendering import RenderedTraining, render
from sweeper.domain.sweep import SweepSpec
from tests.acceptance.daemons import Place
from tests.support.kubernetes import expand
from tests.sweepfile.files import spec_of

VALUES: Mapping[str, str] = {
    "shell": "; touch hacked #",
    "pipe": "a | tee hacked && b || c & d > hacked < /etc/passwd",
    "substitution": "$(touch hacked)`touch hacked`",
    "reference": "$(HOME) $$(HOME) $(SWEEPER_TRIAL)",
    "variable": "$HOME ${HOME} $$ $0 $* %HOME%",
    "double dollar": "$$$$",
    "single quotes": "it's ''; ' \\' \"",
    "double quotes": '"; touch hacked; "',
    "backslashes": "\\ \\\\ \\n \\",
    "line ends": "one\ntwo\n; touch hacked\n",
    "spaces": "  two  spaces \t tab ",
    "empty": "",
    "leading dash": "--help",
    "only a dash": "-",
    "glob": "* ? [a-z] ~ {a,b}",
    "braces": "{ } {{x}} ${lr} ${args} ${envvar:HOME} }",
    "history": "!! !1 ^a^b",
    "comment": "# not a comment",
    "unicode": "größer 🛑 \u202e\u2066 e\u0301 \ufeff",
    "format": "%s %(x)s {0} \\x41",
    "yaml": "&a *a !!python/object:os.system",
    "json": '{"a": [1, "]}"]}',
    "long": "x" * 20_000,
}

SEEING = "import json, os, sys\nopen('seen.jsonl', 'a').write(json.dumps(sys.argv[1:]) + '\\n')\n"


def a_sweep_of(*lines: str) -> str:
    """Return a sweep over all of `VALUES`."""
    values = json.dumps(list(VALUES.values()), ensure_ascii=False)
    return "\n".join(
        ("name: demo", "method: grid", f"parameters: {{x: {{values: {values}}}}}", *lines)
    )


def trainings(spec: SweepSpec, *, is_local: bool) -> list[tuple[str, RenderedTraining]]:
    """Return the training of each trial beside its value."""
    expansion, around = Expansion(spec), rehearsal(spec, is_local=is_local)
    params = [expansion.params(number) for number in range(len(VALUES))]
    return [
        (str(point["x"]), render(spec, around, number, 1, point))
        for number, point in enumerate(params)
    ]


def argv_in_a_container(spec: Mapping[str, Any]) -> list[str]:
    """Return the words that a container starts, every variable being set to something."""
    words = [word for key in ("command", "args") for word in shlex.split(spec.get(key, ""))]
    return [expand(word) for word in words]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["command: [run, '${args}']"], ["run", "--x=@"]),
        (["command: [run, '${args_no_equals}']"], ["run", "--x", "@"]),
        (["command: [run, '${x}', '--y=${x}']"], ["run", "@", "--y=@"]),
        (["command: [sh, -c, 'run \"$1\"', _, '${x}']"], ["sh", "-c", 'run "$1"', "_", "@"]),
    ],
    ids=["args", "no equals", "own", "script"],
)
def test_a_value_of_a_command_reaches_the_container_as_it_is(
    lines: list[str], expected: list[str]
) -> None:
    spec = spec_of(a_sweep_of(*lines, "training: {project: p, spec: {image: i}}"))

    for value, training in trainings(spec, is_local=False):
        argv = argv_in_a_container(training.spec)
        assert argv == [word.replace("@", value) for word in expected]


@pytest.mark.parametrize("args", ["--x=${x}", "'--x=${x}'", '"--x=${x}"'])
def test_a_value_in_a_template_reaches_the_container_as_it_is(args: str) -> None:
    template = {"image": "i", "command": "run", "args": args}
    line = f"training: {{project: p, spec: {json.dumps(template)}}}"

    for value, training in trainings(spec_of(a_sweep_of(line)), is_local=False):
        assert argv_in_a_container(training.spec) == ["run", f"--x={value}"]


def test_a_value_behind_a_shells_c_is_one_word_of_the_script() -> None:
    template = {"image": "i", "command": "sh", "args": "-c 'run --x ${x}'"}
    line = f"training: {{project: p, spec: {json.dumps(template)}}}"

    for value, training in trainings(spec_of(a_sweep_of(line)), is_local=False):
        *_, script = argv_in_a_container(training.spec)
        assert shlex.split(script) == ["run", "--x", value]


def test_variables_of_a_trial_reach_the_container_as_they_are() -> None:
    spec = spec_of(a_sweep_of("program: t.py", "training: {project: p, spec: {image: i}}"))

    for value, training in trainings(spec, is_local=False):
        items: Any = training.spec["environmentVariables"]
        variables = {item["name"]: expand(item["value"]) for item in items}
        assert json.loads(variables["SWEEPER_PARAMS"]) == {"x": value}


def test_no_value_becomes_part_of_a_name_or_a_label() -> None:
    spec = spec_of(a_sweep_of("program: t.py", "training: {project: p, spec: {image: i}}"))
    plain = [
        training.labels.keys() | {training.name.rpartition("-")[0].rpartition("-")[0]}
        for _, training in trainings(spec, is_local=False)
    ]

    assert all(each == plain[0] for each in plain)


@pytest.mark.acceptance
@pytest.mark.parametrize(
    ("lines", "before"),
    [
        (["command: [python, see.py, '${args}']"], "--x="),
        (
            ['training: {project: p, spec: {image: i, command: python, args: "see.py --x=${x}"}}'],
            "--x=",
        ),
        (
            [
                "training: {project: p, spec: {image: i, command: sh, "
                "args: \"-c 'python see.py ${x}'\"}}"
            ],
            "",
        ),
    ],
    ids=["macros", "template", "script"],
)
async def test_every_value_is_what_the_process_sees(
    place: Place, lines: list[str], before: str
) -> None:
    place.script(SEEING, name="see.py")
    file = place.sweep(a_sweep_of(*lines, "limits: {active: 4}"))

    ended = await place.sweeper("run", file, "--local", "--json")

    seen = [json.loads(line) for line in (place.folder / "seen.jsonl").read_text().splitlines()]
    assert ended.code == 0, ended.err
    assert sorted(seen) == sorted([f"{before}{value}"] for value in VALUES.values())
    assert not (place.folder / "hacked").exists()
