from typing import Any

from sweeper.bootstrap.attempts import Attempts
from sweeper.domain.expansion import Expansion
from sweeper.domain.surroundings import Surroundings
from sweeper.domain.sweep import TrainingTemplate
from tests.support.builders import a_spec, a_trial


def _attempts(training: dict[str, Any]) -> Attempts:
    spec = a_spec(training=TrainingTemplate(spec=training))
    return Attempts(
        spec=spec,
        around=Surroundings(
            sweep_id="abcdefghij",
            sweep_name="demo",
            slug="demo",
            is_local=False,
            directory="/srv",
            files="/srv/files",
        ),
        expansion=Expansion(spec),
        project_id="1",
        cluster_id="2",
    )


def test_a_host_path_is_sent_as_read_only_where_the_sweep_file_leaves_it_open() -> None:
    item = {"path": "/data", "mountPath": "/data"}
    attempts = _attempts({"image": "x", "storage": {"hostPath": [item]}})

    request = attempts.request(a_trial())

    assert request.spec["storage"] == {"hostPath": [{**item, "readOnly": True}]}


def test_a_trial_that_cannot_be_rendered_is_drafted_with_its_fault() -> None:
    attempts = _attempts({"image": "x", "args": "${lr}"})

    draft = attempts.draft(3, 2, {"lr": "a\x00b"})

    assert draft.workload_name == "demo-abcdefghij-3-2"
    assert "lr" in draft.fault
    assert draft.params == {"lr": "a\x00b"}
