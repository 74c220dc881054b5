import os
import resource
import stat
from pathlib import Path
from typing import Any

import pytest

from sweeper.bootstrap.attempts import Attempts, write_files
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
        searcher=Expansion(spec),
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

    assert draft is not None
    assert draft.workload_name == "demo-abcdefghij-3-2"
    assert "lr" in draft.fault
    assert draft.params == {"lr": "a\x00b"}


async def test_a_parameter_file_is_on_the_disk_before_its_training_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bytes] = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        sync(descriptor)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            synced.append(Path(f"/proc/self/fd/{descriptor}").read_bytes())

    monkeypatch.setattr(os, "fsync", fsync)
    await write_files({str(tmp_path / "params" / "0.json"): "{}"})

    assert synced == [b"{}"]
    assert (tmp_path / "params" / "0.json").read_bytes() == b"{}"


async def test_a_parameter_file_is_as_it_was_when_there_is_no_room(tmp_path: Path) -> None:
    file = tmp_path / "0.json"
    await write_files({str(file): "{}"})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            await write_files({str(file): '{"lr": 0.1}'})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert file.read_bytes() == b"{}"
