import json
import os
import signal
from dataclasses import replace

import pytest

from sweeper.domain.search import SamplerName
from sweeper.errors import SuggestionError
from sweeper.search.messages import order_json, read_order, result_json
from sweeper.search.process import StudyProcess, study_process
from sweeper.search.serving import answers
from sweeper.search.study import Study
from tests.search.spaces import EVERYTHING, an_order, completed


def test_an_order_arrives_as_it_was_sent() -> None:
    order = an_order(startup=3)
    prior = (completed(0, Study(order).ask(0)),)
    sent = json.dumps(order_json(replace(order, prior=prior)))

    read = read_order(json.loads(sent))

    assert read.prior == prior
    assert (read.sampler, read.seed, read.goal) == (order.sampler, order.seed, order.goal)
    assert list(read.space.parameters) == list(EVERYTHING.parameters)
    assert Study(read).ask(1) == Study(read_order(json.loads(sent))).ask(1)


def test_questions_are_answered_and_faults_are_told() -> None:
    order = json.dumps({"order": order_json(an_order())})
    asked = json.dumps({"tell": [], "ask": 0})

    early, first, broken = answers([asked, order, asked, "{"])

    assert "nothing was ordered" in json.loads(early)["error"]
    assert json.loads(first)["params"].keys() == EVERYTHING.parameters.keys()
    assert "JSONDecodeError" in json.loads(broken)["error"]


async def test_a_process_suggests_what_a_study_here_would() -> None:
    here = Study(an_order())
    async with study_process(an_order()) as study:
        assert study.knows_nothing
        first = await study.ask(0, [])
        assert first == here.ask(0)
        result = completed(0, first)
        here.tell([result])

        assert await study.ask(1, [result]) == here.ask(1)
        assert not study.knows_nothing


async def test_a_process_that_dies_is_replaced_by_one_that_knows_nothing() -> None:
    async with study_process(an_order()) as study:
        await study.ask(0, [])
        _kill(study)

        with pytest.raises(SuggestionError, match="broke off"):
            await study.ask(1, [])
        assert study.knows_nothing

        assert await study.ask(0, []) == Study(an_order()).ask(0)


async def test_a_sampler_that_fails_says_why() -> None:
    broken = an_order(sampler=SamplerName.TPE, startup="many")
    async with study_process(broken) as study:
        with pytest.raises(SuggestionError, match="TypeError"):
            await study.ask(0, [])
        assert study.knows_nothing


async def test_nothing_of_it_is_left_when_the_block_ends() -> None:
    async with study_process(an_order()) as study:
        await study.ask(0, [])
        pid = _pid(study)

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_result_without_a_value_arrives_as_well() -> None:
    result = completed(3, {"x": 1.0, "n": 2, "c": None})

    assert json.loads(json.dumps(result_json(result)))["params"] == {"x": 1.0, "n": 2, "c": None}


def _pid(study: StudyProcess) -> int:
    process = study._process
    assert process is not None
    return process.pid


def _kill(study: StudyProcess) -> None:
    os.kill(_pid(study), signal.SIGKILL)
