import json

import httpx

from sweeper.bootstrap.faces import bind_reports
from sweeper.bootstrap.folders import SweepFolder
from sweeper.bootstrap.reports import ReportReader, read_nothing, reports_face
from sweeper.clock import utc_now
from sweeper.objectives.tokens import token_for
from sweeper.settings import Settings
from sweeper.store.memory import MemoryStore
from sweeper.telemetry.metrics import Metrics
from sweeper.web.reports import Heard
from tests.support.builders import NOW, a_sweep, a_trial
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
