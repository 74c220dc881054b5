"""Sweeps in the image, with a root that is read only, no rights, no network and 512 MB."""

import json
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.deploy.image.engine import Engine

pytestmark = [pytest.mark.needs("docker or podman"), pytest.mark.timeout(1200)]

_SWEEP = ("run", "configs/quickstart.yaml")


@dataclass(frozen=True, kw_only=True)
class Story:
    """A sweep that was stopped in the middle, and gone on with by another container."""

    health: int
    stopped: int
    ended: int
    rows: list[dict[str, Any]]
    events: list[dict[str, Any]]


@pytest.fixture(scope="module")
def story(engine: Engine, image: str, container: str, measured: Callable[[str], None]) -> Story:
    """Run a sweep until its first trial is completed, end it within 5 seconds, and go on."""
    place = ("--volume", f"{container}:/state", image)
    engine.call(*engine.hardened("--detach", "--name", container, *place, *_SWEEP))
    _wait_for(engine, container, "active -> completed")
    check = engine.call("exec", container, *_health_check(engine, image), check=False)
    # Whoever is still there after 5 seconds is killed, which is another exit code.
    begun = time.perf_counter()
    engine.call("stop", "-t", "5", container)
    measured(f"from SIGTERM to the end of a container: {time.perf_counter() - begun:.1f} s")
    stopped = int(engine.call("wait", container).stdout)
    again = engine.call(*engine.hardened("--rm", *place, *_SWEEP, "--json"), check=False)
    told = engine.call(*engine.hardened("--rm", *place, "events", _SWEEP[1], "--json"))
    return Story(
        health=check.returncode,
        stopped=stopped,
        ended=again.returncode,
        rows=json.loads(again.stdout),
        events=[json.loads(line) for line in told.stdout.splitlines()],
    )


def _wait_for(engine: Engine, container: str, words: str) -> None:
    with engine.open("logs", "--follow", container) as following:
        assert following.stdout is not None
        lines = []
        for line in following.stdout:
            lines.append(line)
            if words in line:
                following.kill()
                return
    raise AssertionError(f"it ended without saying {words!r}:\n{''.join(lines)}")


def _health_check(engine: Engine, image: str) -> list[str]:
    """Return the command line by which the image's health is checked."""
    about = engine.inspect(image)
    found = about.get("Healthcheck") or about["Config"]["Healthcheck"]  # podman's, docker's
    kind, *words = found["Test"]
    assert kind == "CMD"
    return list(words)


def test_a_sweep_runs_to_its_end(engine: Engine, image: str) -> None:
    ended = engine.call(*engine.hardened("--rm", image, *_SWEEP, "--json"), check=False)

    assert ended.returncode == 0, ended.stderr
    assert [row["state"] for row in json.loads(ended.stdout)] == ["completed"] * 12


def test_the_health_check_of_a_daemon_at_work_passes(story: Story) -> None:
    assert story.health == 0


def test_sigterm_ends_it_within_5_seconds(story: Story) -> None:
    assert story.stopped == 128 + signal.SIGTERM


def test_a_second_container_goes_on_to_the_end(story: Story) -> None:
    assert story.ended == 0
    assert [row["state"] for row in story.rows] == ["completed"] * 12


def test_trainings_that_went_with_their_container_cost_no_attempt(story: Story) -> None:
    assert {row["attempts"] for row in story.rows} == {1}


def test_a_trial_that_was_completed_before_is_not_begun_again(story: Story) -> None:
    created = [event["trial"] for event in story.events if event["kind"] == "submission"]

    assert sorted(created) == list(range(12))


def test_the_health_check_fails_where_no_daemon_is(engine: Engine, image: str) -> None:
    words = ("--rm", "--entrypoint", _health_check(engine, image)[0], image)

    done = engine.call(*engine.hardened(*words, *_health_check(engine, image)[1:]), check=False)

    assert done.returncode == 1
