"""Whatever a control plane or a sweep file says, it never controls a terminal or forges a line."""

import json
from itertools import cycle

import pytest

from sweeper.clock import utc_now
from sweeper.local.runtime import StartOrder
from sweeper.local.simulated import Course, SimulatedRuntime
from tests.acceptance.daemons import Place
from tests.acceptance.planes import remote
from tests.security.hostile import TEXTS, between, check_shown, has_controls, raw_controls, saying

SWEEP = (
    "name: demo",
    "method: grid",
    "parameters: {lr: {values: [1, 2, 3]}}",
    "training: {spec: {image: x, command: 'true', backoffLimit: 0}}",
    "retry: {application: 0}",
)
VERBS: tuple[tuple[str, ...], ...] = (
    *(("status", "demo"), ("show", "demo", "0"), ("ls",), ("events", "demo")),
    *(("results", "demo"), ("results", "demo", "--csv")),
)
JSON_VERBS: tuple[tuple[str, ...], ...] = (
    *(("status", "demo", "--json"), ("show", "demo", "0", "--json"), ("ls", "--json")),
    *(("events", "demo", "--json"), ("results", "demo", "--json")),
)


def _fails(_order: StartOrder) -> Course:
    return Course(seconds=0, exit_code=1)


async def _check_verbs(place: Place) -> None:
    for verb in VERBS:
        ended = await place.sweeper(*verb)
        assert ended.code in {0, 1}, ended.err
        check_shown(ended.out + ended.err)
    for verb in JSON_VERBS:
        ended = await place.sweeper(*verb)
        assert ended.code in {0, 1}, ended.err
        for line in ended.out.splitlines() if verb[0] == "events" else [ended.out]:
            json.loads(line)
        check_shown(ended.out + ended.err)


@pytest.mark.parametrize("log_format", ["text", "json"])
async def test_words_of_a_server_are_shown_as_words(place: Place, log_format: str) -> None:
    file = place.sweep(*SWEEP)
    runtime = SimulatedRuntime(_fails, now=utc_now)
    flags = ("--log-level", "debug", "--log-format", log_format)

    async with remote(
        place, runtime, lambda app: between(app, saying(cycle(TEXTS.values())))
    ) as there:
        ended = await there.place.sweeper("run", file, *flags)

    assert ended.code == 1, ended.err
    check_shown(ended.out + ended.err)
    if log_format == "json":
        assert all(json.loads(line)["message"] for line in ended.err.splitlines())
    else:
        await _check_verbs(place)


async def test_control_characters_in_a_sweep_file_are_refused_in_words(place: Place) -> None:
    hostile = [text for text in TEXTS.values() if has_controls(text)]
    file = place.sweep(
        f"name: {json.dumps(hostile[0])}",
        "method: grid",
        "program: train.py",
        f"parameters: {{word: {{values: {json.dumps(hostile)}}}}}",
    )

    ended = [
        await place.sweeper(*verb, file) for verb in (("run",), ("plan", "--json"), ("validate",))
    ]

    assert [one.code for one in ended] == [2] * 3
    for one in ended:
        check_shown(one.out + one.err)


async def test_words_of_a_sweep_file_are_shown_as_words(place: Place) -> None:
    # Not the long one: CSV and JSON hold a user's own values whole.
    texts = [text for name, text in TEXTS.items() if name != "huge"]
    values = json.dumps([text for text in texts if not has_controls(text)])
    file = place.sweep(
        "name: 'x\"} 1 forged_total{a=\"b [red]%s'",
        "method: grid",
        "program: train.py",
        f"parameters: {{{json.dumps(TEXTS['label'])}: {{values: {values}}}}}",
        "command: ['true', '${args}']",
    )

    planned = await place.sweeper("plan", file)
    as_json = await place.sweeper("plan", file, "--json")
    ended = await place.sweeper("run", file)

    assert (planned.code, as_json.code, ended.code) == (0, 0, 0), ended.err
    check_shown(planned.out + ended.out + ended.err)
    assert raw_controls(as_json.out) == set()
    for verb in VERBS:
        shown = await place.sweeper(*(str(file) if word == "demo" else word for word in verb))
        assert shown.code == 0, shown.err
        check_shown(shown.out + shown.err)
