import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.bootstrap.folders import SweepFolder
from sweeper.domain.change import note
from sweeper.domain.record import EventKind
from sweeper.settings import Settings
from sweeper.store.sql import SqlStore
from sweeper.store.writing import inline
from tests.cli.conftest import Run
from tests.support.builders import NOW

UUID = "0a1b2c3d-0000-4000-8000-00000000abcd"


@pytest.fixture
def carries_out(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What becomes of a wish without a daemon: it is adopted, refused, or hindered by a trouble."""
    outcome: list[str] = []

    async def carry_out(settings: Settings, folder: SweepFolder, control_plane: str) -> str:
        if outcome[0] not in {"adopted", "refused"}:
            return outcome[0]
        async with SqlStore(folder.store, run=inline) as store:
            view = await store.trial(2)
            assert view is not None
            trial = view.trial
            if outcome[0] == "adopted":
                trial = replace(trial, submission=replace(trial.submission, workload_id=UUID))
            why = note(trial, NOW, EventKind.LOOK_UP, "foreign", "not adopted: expected x, found y")
            await store.commit([trial], [] if outcome[0] == "adopted" else [why])
        return ""

    monkeypatch.setattr("sweeper.bootstrap.carrying_out.carry_out", carry_out)
    return outcome


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("outcome", "code", "words"),
    [
        ("adopted", 0, f"demo: trial 2: adopted {UUID}"),
        ("refused", 1, "demo: trial 2: not adopted: expected x, found y"),
        ("no network", 1, "not carried out yet: no network; the next `sweeper run` does it"),
    ],
)
def test_without_a_daemon_it_is_told_what_became_of_it(
    sweeper: Run,
    carries_out: list[str],
    outcome: str,
    code: int,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    carries_out.append(outcome)

    assert sweeper("adopt", "demo", "2", UUID.upper()) == code
    assert words in capsys.readouterr().out


@pytest.mark.usefixtures("demo")
def test_a_machine_reads_one_object(
    sweeper: Run, carries_out: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    carries_out.append("adopted")

    sweeper("adopt", "demo", "2", UUID, "--json")

    told = json.loads(capsys.readouterr().out)
    assert (told["trial"], told["workload_id"], told["adopted"]) == (2, UUID, True)


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("2", "../x"), "must be the id of a workload"), (("9", UUID), "trial 9 was not submitted")],
)
def test_what_can_be_no_adoption_is_refused_at_once(
    sweeper: Run, arguments: tuple[str, str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("adopt", "demo", *arguments) == 2
    assert words in capsys.readouterr().err


def test_a_daemon_is_asked_and_tells_later(
    sweeper: Run,
    demo: SweepFolder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from sweeper.bootstrap import verbs as bootstrap_verbs

    opened = bootstrap_verbs.Verbs

    def with_daemon(**fields: object) -> object:
        return opened(**fields | {"has_daemon": True})  # type: ignore[arg-type] # passed on

    monkeypatch.setattr(bootstrap_verbs, "Verbs", with_daemon)

    assert sweeper("adopt", "demo", "2", UUID) == 0
    assert "the daemon looks at it now; `sweeper show demo 2`" in capsys.readouterr().out
    assert asyncio.run(_wishes(demo.store)) == [("adopt", 2, UUID)]


async def _wishes(path: Path) -> list[tuple[str, int | None, str | None]]:
    async with SqlStore(path, run=inline) as store:
        return [(wish.kind.value, wish.trial, wish.workload_id) for wish in await store.wishes()]
