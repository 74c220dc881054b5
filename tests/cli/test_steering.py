import asyncio
import json

import pytest

from sweeper.bootstrap.folders import SweepFolder
from sweeper.domain.record import Wish
from sweeper.domain.trial import FailureClass
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.cli.conftest import Run


def _wishes(folder: SweepFolder) -> list[Wish]:
    async def read() -> list[Wish]:
        async with SqlStore(folder.store, run=inline) as store:
            return list(await store.wishes())

    return asyncio.run(read())


@pytest.mark.parametrize(
    ("arguments", "kind", "trial"),
    [
        (("pause", "demo"), "pause", None),
        (("unpause", "demo"), "unpause", None),
        (("unpause", "demo", "--force"), "thaw", None),
        (("retry", "demo", "--failed"), "retry", None),
        (("retry", "demo", "--trial", "1"), "retry", 1),
    ],
)
def test_a_wish_is_written_down_for_the_next_daemon(
    sweeper: Run, demo: SweepFolder, arguments: tuple[str, ...], kind: str, trial: int | None
) -> None:
    assert sweeper(*arguments) == 0
    assert [(wish.kind.value, wish.trial) for wish in _wishes(demo)] == [(kind, trial)]


@pytest.mark.usefixtures("demo")
def test_a_wish_says_that_no_daemon_runs(sweeper: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert sweeper("pause", "demo") == 0
    assert "no daemon runs: `sweeper run" in capsys.readouterr().out


@pytest.mark.usefixtures("demo")
def test_a_wish_is_one_json_object_for_machines(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("pause", "demo", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert told | {"sweep": "demo", "kind": "pause", "daemon": False} == told


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("arguments", [(), ("--failed", "--trial", "1")])
def test_retry_wants_to_know_what(
    sweeper: Run, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("retry", "demo", *arguments) == 2
    assert "either --failed, or --trial N" in capsys.readouterr().err


@pytest.mark.usefixtures("demo")
def test_a_class_goes_with_all_failed_trials_only(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("retry", "demo", "--trial", "1", "--class", "timeout") == 2
    assert "--class goes with --failed" in capsys.readouterr().err


def test_a_retry_can_be_of_one_class_of_failures(
    sweeper: Run, demo: SweepFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("retry", "demo", "--failed", "--class", "infrastructure") == 0

    assert [wish.failure for wish in _wishes(demo)] == [FailureClass.INFRASTRUCTURE]
    assert "retry of infrastructure failures written down" in capsys.readouterr().out


def test_several_trials_are_retried_each_by_a_wish_of_its_own(
    sweeper: Run, demo: SweepFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("retry", "demo", "--trial", "1", "--trial", "0", "--trial", "1", "--json") == 0

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [wish.trial for wish in _wishes(demo)] == [0, 1]
    assert [(one["trial"], one["wish"]) for one in told] == [(0, 1), (1, 2)]


@pytest.mark.parametrize("others", [(), ("--trial", "1")], ids=["alone", "beside one there is"])
def test_a_wish_for_a_trial_that_does_not_exist_is_refused(
    sweeper: Run, demo: SweepFolder, others: tuple[str, ...]
) -> None:
    assert sweeper("retry", "demo", "--trial", "9", *others) == 2
    assert _wishes(demo) == []
