import csv
import io
import json
from collections.abc import AsyncIterator

import pytest

from sweeper.bootstrap import results
from sweeper.bootstrap.results import ResultsFormat, print_results
from sweeper.clock import utc_now
from sweeper.domain.record import Report
from sweeper.domain.sweep import Goal
from sweeper.errors import MissingExtraError, SettingsError
from sweeper.store.memory import MemoryStore
from sweeper.web.client import VerbsClient
from sweeper.web.verbs import verbs_app
from tests.support.builders import NOW, a_sweep, a_trial

TRIALS = 2_500


@pytest.fixture
async def client() -> AsyncIterator[VerbsClient]:
    """Answers for a sweep of many trials, of which the last ones have the best objective."""
    async with MemoryStore() as store:
        await store.save_sweep(a_sweep(objective="loss", goal=Goal.MINIMIZE, planned=TRIALS))
        await store.commit([a_trial(number, version=0) for number in range(TRIALS)])
        await store.add_reports(
            [
                Report(trial=number, key="k", at=NOW, values={"loss": float(TRIALS - number)})
                for number in range(100, TRIALS)
            ]
        )
        async with VerbsClient.in_process(verbs_app(store, now=utc_now)) as client:
            yield client


async def test_json_holds_every_trial_in_order(
    client: VerbsClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await print_results(client, ResultsFormat.JSON)

    rows = json.loads(capsys.readouterr().out)
    assert [row["trial"] for row in rows] == list(range(TRIALS))


async def test_csv_holds_every_trial_in_order(
    client: VerbsClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await print_results(client, ResultsFormat.CSV)

    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [int(row["trial"]) for row in rows] == list(range(TRIALS))


async def test_a_table_of_a_large_sweep_holds_the_best_and_counts_the_rest(
    client: VerbsClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await print_results(client, ResultsFormat.TABLE, top=3)

    out = capsys.readouterr().out
    numbers = [line.split()[0] for line in out.splitlines() if line.split()[1:2] == ["active"]]
    assert numbers == ["2499", "2498", "2497"]
    assert "2497 more not shown" in out


async def test_a_table_is_filled_with_trials_that_reached_nothing(
    client: VerbsClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "READ_WHOLE", 4)

    await print_results(client, ResultsFormat.TABLE, top=5)

    out = capsys.readouterr().out
    numbers = [line.split()[0] for line in out.splitlines() if line.split()[1:2] == ["active"]]
    assert numbers == ["2499", "2498", "0", "1", "2"]


async def test_an_empty_sweep_has_an_empty_list(capsys: pytest.CaptureFixture[str]) -> None:
    async with MemoryStore() as store:
        await store.save_sweep(a_sweep())
        async with VerbsClient.in_process(verbs_app(store, now=utc_now)) as client:
            await print_results(client, ResultsFormat.JSON)

    assert json.loads(capsys.readouterr().out) == []


async def test_parquet_does_not_go_to_a_terminal(
    client: VerbsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)

    with pytest.raises(SettingsError, match=r"send it to a file, with > results\.parquet"):
        await print_results(client, ResultsFormat.PARQUET)


async def test_parquet_without_its_library_names_the_command_that_installs_it(
    client: VerbsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=r"pip install 'sweeper\[parquet\]'"):
        await print_results(client, ResultsFormat.PARQUET)
