import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.receivers import http_inbox

SWEEP = "name: night\nprogram: train.py\nmethod: grid\nparameters: {a: {values: [1]}}\n"


def a_file(folder: Path, notify: str = "") -> Path:
    file = folder / "sweep.yaml"
    file.write_text(SWEEP + notify)
    return file


def test_each_receiver_is_tried_and_named(
    sweeper: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = a_file(tmp_path, "notify: [{env: HOOK}, {env: GONE}]\n")

    with http_inbox() as inbox, http_inbox() as gone:
        gone.answer = 410
        monkeypatch.setenv("HOOK", f"json://127.0.0.1:{inbox.port}/")
        monkeypatch.setenv("GONE", f"json://127.0.0.1:{gone.port}/")
        code = sweeper("notify", file, "--json")

    assert (code, inbox.subjects) == (1, ["sweep night: a test"])
    assert json.loads(capsys.readouterr().out) == {
        "HOOK": {"sent": True, "reason": ""},
        "GONE": {"sent": False, "reason": "the service answered 410"},
    }


def test_a_sweep_that_tells_nobody_says_so(
    sweeper: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("notify", a_file(tmp_path)) == 1
    assert "nobody is told: write notify: [{env: NAME}]" in capsys.readouterr().err


def test_an_address_that_cannot_be_used_is_a_fault_of_usage(
    sweeper: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("notify", a_file(tmp_path, "notify: [{env: HOOK}]\n")) == 2
    assert "HOOK is not set" in capsys.readouterr().err
