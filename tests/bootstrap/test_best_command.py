from collections.abc import Mapping
from typing import Any

import pytest

from sweeper.bootstrap.best_command import best_command
from sweeper.clock import utc_now
from sweeper.domain.record import Report
from sweeper.domain.sweep import Goal
from sweeper.domain.values import Params
from sweeper.store.memory import MemoryStore
from sweeper.web.client import VerbsClient
from sweeper.web.verbs import verbs_app
from tests.support.builders import NOW, a_sweep, a_trial

FILE = {
    "program": "train.py",
    "method": "random",
    "metric": {"name": "loss"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}, "opt": {"values": ["a b", "c"]}},
}


async def told(
    definition: Mapping[str, Any], losses: Mapping[int, float], params: Params | None = None
) -> str:
    async with MemoryStore() as store:
        await store.save_sweep(
            a_sweep(objective="loss", goal=Goal.MINIMIZE, definition=definition, name="demo")
        )
        given = params or {"lr": 0.5, "opt": "a b"}
        await store.commit([a_trial(number, version=0, params=given) for number in range(3)])
        await store.add_reports(
            [
                Report(trial=number, key="k", at=NOW, values={"loss": value})
                for number, value in losses.items()
            ]
        )
        async with VerbsClient.in_process(verbs_app(store, now=utc_now)) as client:
            return await best_command(client)


async def test_the_best_trial_is_told_with_its_command_line() -> None:
    said = await told(FILE, {0: 0.5, 1: 0.25, 2: 3.0})

    assert said == ("best: trial 1, loss 0.25\n  /usr/bin/env python train.py --lr=0.5 '--opt=a b'")


async def test_without_a_value_nothing_is_the_best() -> None:
    assert await told(FILE, {}) == ""


@pytest.mark.parametrize(
    "definition",
    [
        {**FILE, "program": None, "command": None},
        {"method": "random", "metric": {"name": "loss"}, "parameters": {"lr": {"min": "no"}}},
    ],
    ids=["no command", "a file that is read no more"],
)
async def test_where_no_command_can_be_told_the_trial_is(definition: Mapping[str, Any]) -> None:
    assert await told(definition, {0: 0.5}) == "best: trial 0, loss 0.5"


async def test_hostile_params_stay_one_line() -> None:
    said = await told(FILE, {0: 0.5}, {"lr": 0.5, "opt": "x\x1b[2J\u2028y"})

    assert len(said.splitlines()) <= 2
    assert "\x1b" not in said
