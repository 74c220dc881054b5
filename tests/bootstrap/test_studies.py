from collections.abc import AsyncIterator
from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sweeper.bootstrap import studies
from sweeper.bootstrap.studies import export_study
from sweeper.clock import utc_now
from sweeper.domain.record import Report
from sweeper.domain.sweep import Goal
from sweeper.domain.trial import TrialState
from sweeper.errors import MissingExtraError, SettingsError
from sweeper.store.memory import MemoryStore
from sweeper.web.client import VerbsClient
from sweeper.web.verbs import verbs_app
from tests.support.builders import NOW, a_sweep, a_trial

DEFINITION = {
    "method": "random",
    "parameters": {
        "lr": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1.0},
        "net": {"values": ["small", "large", [1, 2], True, 1]},
        "depth": {"min": 1, "max": 9},
    },
}
STATES = (TrialState.COMPLETED, TrialState.PRUNED, TrialState.FAILED, TrialState.ACTIVE)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'study.db'}"


@pytest.fixture
async def store() -> AsyncIterator[MemoryStore]:
    """A sweep with a trial in each of STATES, of which the last one reported nothing."""
    async with MemoryStore() as store:
        await store.save_sweep(
            a_sweep(objective="acc", goal=Goal.MAXIMIZE, definition=DEFINITION, name="demo")
        )
        nets = ("small", (1, 2), True, 1)
        await store.commit(
            [
                a_trial(
                    number,
                    state=state,
                    version=0,
                    params={"lr": 10.0 ** -(number + 1), "net": nets[number], "depth": number + 1},
                )
                for number, state in enumerate(STATES)
            ]
        )
        await store.add_reports(
            [
                Report(trial=number, key=f"{step}", at=NOW, step=step, values={"acc": step / 10})
                for number in range(3)
                for step in (2, 5, 3)
            ]
        )
        yield store


@pytest.fixture
async def client(store: MemoryStore) -> AsyncIterator[VerbsClient]:
    async with VerbsClient.in_process(verbs_app(store, now=utc_now)) as client:
        yield client


async def test_a_study_has_each_trial_in_its_state(client: VerbsClient, url: str) -> None:
    said = await export_study(client, url)

    study = optuna.load_study(study_name="demo", storage=url)
    assert said == "wrote the study demo, 4 trials"
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "PRUNED", "FAIL", "RUNNING"]
    assert (study.direction.name, study.best_value) == ("MAXIMIZE", 0.5)


async def test_a_study_has_the_curves(client: VerbsClient, url: str) -> None:
    await export_study(client, url)

    first = optuna.load_study(study_name="demo", storage=url).trials[0]
    assert first.intermediate_values == {2: 0.2, 5: 0.5, 3: 0.3}


async def test_a_study_has_the_parameters_by_their_kind(client: VerbsClient, url: str) -> None:
    await export_study(client, url)

    trials = optuna.load_study(study_name="demo", storage=url).trials
    assert trials[0].distributions == {
        "lr": FloatDistribution(1e-4, 0.1, log=True),
        "net": CategoricalDistribution(("small", "large", "[1, 2]", "true", "1")),
        "depth": IntDistribution(1, 4),
    }
    assert [trial.params["net"] for trial in trials] == ["small", "[1, 2]", "true", "1"]


async def test_a_second_export_replaces_the_first(
    client: VerbsClient, store: MemoryStore, url: str
) -> None:
    await export_study(client, url)
    await store.commit([a_trial(9, version=0, params={"lr": 0.5, "net": "large", "depth": 2})])

    await export_study(client, url)

    assert len(optuna.load_study(study_name="demo", storage=url).trials) == 5


async def test_a_study_of_something_else_is_left_alone(client: VerbsClient, url: str) -> None:
    optuna.create_study(storage=url, study_name="demo").add_trial(
        optuna.trial.create_trial(value=1.0)
    )

    with pytest.raises(SettingsError, match="has a study demo of something else"):
        await export_study(client, url)

    assert len(optuna.load_study(study_name="demo", storage=url).trials) == 1


async def test_a_database_that_cannot_be_used_is_named_without_its_address(
    client: VerbsClient,
) -> None:
    with pytest.raises(SettingsError, match="cannot be used") as caught:
        await export_study(client, "nonsense://user:hush@host/db")

    assert "hush" not in str(caught.value)


async def test_without_optuna_the_command_that_installs_it_is_named(
    client: VerbsClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studies, "find_spec", lambda name: None)

    with pytest.raises(MissingExtraError, match=r"pip install 'sweeper\[search\]'"):
        await export_study(client, url)


async def test_a_sweep_without_a_metric_has_no_study(url: str) -> None:
    async with MemoryStore() as store:
        await store.save_sweep(a_sweep(objective=None))
        async with VerbsClient.in_process(verbs_app(store, now=utc_now)) as client:
            with pytest.raises(SettingsError, match="names no metric"):
                await export_study(client, url)
