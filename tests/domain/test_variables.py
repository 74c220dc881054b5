import json
from typing import Any

import pytest

from sweeper.domain.surroundings import Surroundings
from sweeper.domain.variables import variables_of
from tests.support.builders import SWEEP_ID

_REPORTING = {
    "report_url": "http://127.0.0.1:9/reports/{}".format,
    "report_token": "token-{}".format,
    "report_file": "/sweep/reports/{}.jsonl".format,
}


def _surroundings(**fields: Any) -> Surroundings:
    given: dict[str, Any] = {
        "sweep_id": SWEEP_ID,
        "sweep_name": "My demo",
        "slug": "my-demo",
        "is_local": True,
        "directory": "/work",
        "files": "/sweep/params",
    }
    return Surroundings(**given | fields)


def test_a_local_trial_is_told_who_it_is_and_where_to_report() -> None:
    around = _surroundings(**_REPORTING)

    assert variables_of(around, 4, 2, {"lr": 1e-05, "o": {"b": True}}, ()) == {
        "SWEEPER_SWEEP": "My demo",
        "SWEEPER_TRIAL": "4",
        "SWEEPER_ATTEMPT": "2",
        "SWEEPER_PARAMS": '{"lr":1e-05,"o":{"b":true}}',
        "SWEEPER_CHECKPOINT_KEY": f"my-demo-{SWEEP_ID}-4",
        "SWEEPER_REPORT_URL": "http://127.0.0.1:9/reports/4",
        "SWEEPER_REPORT_TOKEN": "token-4",
        "SWEEPER_REPORT_FILE": "/sweep/reports/4.jsonl",
        "WANDB_RUN_ID": f"my-demo-{SWEEP_ID}-4",
        "WANDB_RESUME": "allow",
        "WANDB_MODE": "offline",
        "WANDB_SWEEP_ID": SWEEP_ID,
        "WANDB_SWEEP_PARAM_PATH": "/sweep/params/4.yaml",
    }


def test_on_runai_there_is_no_file_of_this_machine() -> None:
    names = variables_of(_surroundings(is_local=False, **_REPORTING), 4, 1, {}, ()).keys()

    assert not names & {"SWEEPER_REPORT_FILE", "WANDB_SWEEP_PARAM_PATH"}


def test_without_reporting_nothing_is_said_of_it() -> None:
    assert not [name for name in variables_of(_surroundings(), 4, 1, {}, ()) if "REPORT" in name]


def test_what_the_user_sets_stays() -> None:
    variables = variables_of(_surroundings(), 4, 1, {}, {"SWEEPER_TRIAL", "WANDB_RUN_ID"})

    assert not variables.keys() & {"SWEEPER_TRIAL", "WANDB_RUN_ID"}


@pytest.mark.parametrize(("is_local", "offline"), [(True, False), (False, True)])
def test_the_account_of_the_daemon_counts_where_trials_inherit_it(
    is_local: bool, offline: bool
) -> None:
    around = _surroundings(is_local=is_local, environment={"WANDB_API_KEY": "secret"})

    assert ("WANDB_MODE" in variables_of(around, 0, 1, {}, ())) is offline


def test_checkpoint_and_run_are_the_same_over_attempts() -> None:
    first, second = (variables_of(_surroundings(), 4, attempt, {}, ()) for attempt in (1, 2))

    assert first.pop("SWEEPER_ATTEMPT") != second.pop("SWEEPER_ATTEMPT")
    assert first == second


def test_no_variable_is_named_after_a_parameter() -> None:
    variables = variables_of(_surroundings(), 4, 1, {"PATH": "/bad", "LD_PRELOAD": "x"}, ())

    assert not variables.keys() & {"PATH", "LD_PRELOAD"}
    assert json.loads(variables["SWEEPER_PARAMS"]) == {"PATH": "/bad", "LD_PRELOAD": "x"}


def test_surroundings_never_show_the_environment() -> None:
    assert "secret" not in repr(_surroundings(environment={"WANDB_API_KEY": "secret"}))
