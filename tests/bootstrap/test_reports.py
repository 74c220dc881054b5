import json
from pathlib import Path

import httpx

from sweeper.bootstrap.faces import bind_reports
from sweeper.bootstrap.folders import SweepFolder
from sweeper.bootstrap.reports import FoundValues, ReportReader, read_nothing, reports_face
from sweeper.clock import utc_now
from sweeper.domain.sources import FileSource, Layout, StdoutSource
from sweeper.domain.sweep import ObjectiveSpec, SweepSpec, TrainingTemplate
from sweeper.domain.trial import Trial
from sweeper.objectives.tokens import token_for
from sweeper.settings import Settings
from sweeper.store.memory import MemoryStore
from sweeper.telemetry.metrics import Metrics
from sweeper.web.reports import Heard
from tests.support.builders import NOW, a_spec, a_sweep, a_trial
from tests.support.places import a_kept_sweep

KEY = b"0" * 32


def _append(folder: SweepFolder, number: int, key: str, loss: float) -> None:
    file = folder.report_file(number)
    file.parent.mkdir(parents=True, exist_ok=True)
    line = {"key": key, "at": NOW.isoformat(), "step": 1, "values": {"loss": loss}}
    with file.open("a") as out:
        out.write(json.dumps(line) + "\n")


async def test_report_files_are_read_into_the_store_once(settings: Settings) -> None:
    folder = await a_kept_sweep(settings)
    metrics = Metrics(version="1", now=utc_now)
    async with MemoryStore() as store:
        await store.save_sweep(a_sweep(objective="loss"))
        trials = await store.commit([a_trial(0, version=0), a_trial(1, version=0)])
        reader = ReportReader.of(folder, store, metrics)
        _append(folder, 0, "a", 0.5)
        await reader.read(trials)
        _append(folder, 0, "a", 0.5)
        _append(folder, 0, "b", 0.25)
        await reader.read(trials)
        await read_nothing(trials)

        curve = await store.curve(0)

    counted = metrics.render("")[0].decode()
    assert [report.values["loss"] for report in curve] == [0.5, 0.25]
    assert 'sweeper_reports_total{outcome="new",sweep="demo"} 2.0' in counted
    assert 'sweeper_reports_total{outcome="known",sweep="demo"} 1.0' in counted


async def test_a_training_reports_with_its_own_token_and_no_other() -> None:
    heard: list[str] = []
    telling = Heard(
        written=lambda reports, new: heard.append(f"{new} of {len(reports)} new"),
        refused=lambda: heard.append("refused"),
    )
    socket = bind_reports("127.0.0.1:0", None)
    async with MemoryStore() as store:
        await store.save_sweep(a_sweep(objective="loss"))
        await store.commit([a_trial(3, version=0)])
        async with (
            reports_face(socket, store, KEY, now=utc_now, heard=telling),
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{socket.port}", trust_env=False
            ) as client,
        ):
            answers = [
                await client.post(
                    "/reports/3",
                    json={"loss": 0.5},
                    headers={"Authorization": f"Bearer {token_for(KEY, trial)}"},
                )
                for trial in (3, 4)
            ]

        curve = await store.curve(3)

    assert [answer.status_code for answer in answers] == [202, 401]
    assert heard == ["1 of 1 new", "refused"]
    assert len(curve) == 1


async def _heard(
    folder: SweepFolder, spec: SweepSpec, directory: Path, trial: Trial, *, times: int
) -> list[tuple[int | None, float]]:
    """Return what is kept of a trial after so many daemons have read it, one after the other."""
    record = a_sweep(objective="loss", directory=str(directory))
    async with MemoryStore() as store:
        await store.save_sweep(record)
        await store.commit([trial])
        for _ in range(times):
            found = FoundValues.of(spec, record, folder, lambda: NOW)
            metrics = Metrics(version="1", now=utc_now)
            await ReportReader.of(folder, store, metrics, found).read([trial])
        curve = await store.curve(trial.number)
    return [(report.step, report.values["loss"]) for report in curve]


async def test_what_a_trial_prints_is_its_reports_however_often_it_is_read(
    settings: Settings, tmp_path: Path
) -> None:
    folder = await a_kept_sweep(settings)
    trial = a_trial(3, version=0)
    log = folder.log_file(trial.submission.workload_name)
    log.parent.mkdir(parents=True)
    log.write_text('begins\n{"loss": 0.5, "step": 1}\n{"loss": 0.5, "step": 2}\n')
    spec = a_spec(objective=ObjectiveSpec(name="loss"), source=StdoutSource())

    kept = await _heard(folder, spec, tmp_path, trial, times=3)

    assert kept == [(1, 0.5), (2, 0.5)]


async def test_a_trials_file_is_found_where_it_runs_by_its_number_and_params(
    settings: Settings, tmp_path: Path
) -> None:
    folder = await a_kept_sweep(settings)
    trial = a_trial(3, version=0, params={"lr": 0.1})
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "3-0.1-1.csv").write_text("epoch,loss\n1,0.5\n2,0.25\n")
    spec = a_spec(
        objective=ObjectiveSpec(name="loss"),
        source=FileSource(path="${trial}-${lr}-${attempt}.csv", layout=Layout.CSV, step="epoch"),
        training=TrainingTemplate(spec={"workingDir": "here"}),
    )

    kept = await _heard(folder, spec, tmp_path, trial, times=2)

    assert kept == [(1, 0.5), (2, 0.25)]


async def test_a_path_that_a_trial_lacks_a_parameter_for_is_no_file(
    settings: Settings, tmp_path: Path
) -> None:
    folder = await a_kept_sweep(settings)
    spec = a_spec(
        objective=ObjectiveSpec(name="loss"),
        source=FileSource(path="${momentum}.csv", layout=Layout.CSV),
    )

    assert await _heard(folder, spec, tmp_path, a_trial(3, version=0), times=1) == []


async def test_without_a_source_nothing_else_is_looked_at(settings: Settings) -> None:
    folder = await a_kept_sweep(settings)
    measured = a_spec(objective=ObjectiveSpec(name="loss"))

    assert FoundValues.of(measured, a_sweep(), folder, utc_now) is None
