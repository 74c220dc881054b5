import json

import pytest

from sweeper.web.serving import bind_tcp
from tests.cli.conftest import Run


def test_a_daemon_that_does_not_answer_is_not_well(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with bind_tcp("127.0.0.1", 0) as free:
        listen = f"127.0.0.1:{free.getsockname()[1]}"

    assert sweeper("health", "--listen", listen) == 1
    assert f"http://{listen} does not answer" in capsys.readouterr().err


@pytest.mark.usefixtures("demo")
def test_health_is_one_json_object_for_machines(
    sweeper: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sweeper("health", "demo", "--json") == 1

    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert "the daemon of demo does not answer" in told["message"]
