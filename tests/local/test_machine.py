from pathlib import Path

import pytest

from sweeper.local.machine import Machine


@pytest.mark.parametrize("name", ["one", "../../etc/passwd", "a/b", "..", "", "\0"])
def test_a_log_lies_in_the_folder_of_logs_whatever_the_name(name: str) -> None:
    machine = Machine(
        gpus=(),
        cores=None,
        memory=None,
        state=Path("/state"),
        logs=Path("/state/logs"),
        gpu_locks=Path("/run"),
        working_directory=Path("/work"),
        environment={"TOKEN": "hunter2"},
        project_names={},
    )

    file = machine.log_file(name)

    assert file.parent.resolve() == Path("/state/logs")
    assert file.name.endswith(".log")
    assert "hunter2" not in repr(machine)
