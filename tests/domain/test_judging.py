import pytest

from sweeper.domain.judging import judge
from sweeper.domain.trial import FailureClass, TrainingEvent
from tests.support.builders import an_event

EXIT_3 = an_event("Failed", "exited", exit_code=3)
STARTED = an_event("Started")
EVICTED = an_event("Evict", "pod was preempted by another workload")
NODE_LOST = an_event("NodeLost", "node-7 is gone")

JUDGEMENTS = [
    pytest.param([], FailureClass.APPLICATION, "no event says why", None, id="no events"),
    pytest.param([EXIT_3], FailureClass.APPLICATION, "exit code 3", 3, id="exit code"),
    pytest.param(
        [an_event("OOMKilled"), an_event("Failed", exit_code=137)],
        FailureClass.APPLICATION,
        "out of memory",
        137,
        id="out of memory",
    ),
    pytest.param(
        [an_event("BackOff"), an_event("Odd", "it went wrong")],
        FailureClass.APPLICATION,
        "it went wrong",
        None,
        id="newest message",
    ),
    pytest.param(
        [an_event("OOMKilling", "over its limit")],
        FailureClass.APPLICATION,
        "out of memory (OOMKilled)",
        None,
        id="the node is out of memory",
    ),
    pytest.param([an_event("Evict")], None, "preempted: Evict", None, id="by the scheduler"),
    pytest.param([an_event("Evicted")], None, "preempted: Evicted", None, id="by the node"),
    pytest.param([EVICTED, STARTED], None, "preempted", None, id="evicted"),
    pytest.param(
        [an_event("Killing", "the pod was preempted")], None, "preempted", None, id="by its words"
    ),
    pytest.param([an_event("Preempted")], None, "preempted: Preempted", None, id="no message"),
    pytest.param(
        [EXIT_3, STARTED, EVICTED], FailureClass.APPLICATION, "exit code 3", 3, id="started since"
    ),
    pytest.param([EXIT_3, EVICTED, STARTED], None, "preempted", None, id="killed by eviction"),
    pytest.param(
        [NODE_LOST, STARTED], FailureClass.INFRASTRUCTURE, "NodeLost: node-7", None, id="node lost"
    ),
    pytest.param(
        [an_event("ImagePullBackOff")],
        FailureClass.INFRASTRUCTURE,
        "ImagePullBackOff",
        None,
        id="no image",
    ),
    pytest.param(
        [EXIT_3, STARTED, NODE_LOST], FailureClass.APPLICATION, "exit code 3", 3, id="node is back"
    ),
]


@pytest.mark.parametrize(("events", "failure", "words", "exit_code"), JUDGEMENTS)
def test_events_tell_why_a_training_failed(
    events: list[TrainingEvent], failure: FailureClass | None, words: str, exit_code: int | None
) -> None:
    verdict = judge(events)

    assert verdict.failure is failure
    assert words in verdict.reason
    assert verdict.exit_code == exit_code


def test_a_reason_without_a_message_stands_alone() -> None:
    assert judge([an_event("ImagePullBackOff")]).reason == "ImagePullBackOff"


def test_a_failure_that_no_event_explains_says_so() -> None:
    assert judge([]).reason == "the control plane says Failed, and no event says why"


def test_out_of_memory_is_told_in_the_words_of_kubernetes() -> None:
    assert judge([an_event("OOMKilled")]).reason == "out of memory (OOMKilled)"
