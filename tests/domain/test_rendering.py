import json
import shlex
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.domain.rendering import RenderedTraining, render
from sweeper.domain.surroundings import Surroundings
from sweeper.domain.sweep import TrainingTemplate
from sweeper.domain.values import JsonValue, Params, digest
from sweeper.errors import RenderingError
from tests.support.builders import SWEEP_ID, a_spec
from tests.support.kubernetes import expand

_NAME = f"demo-{SWEEP_ID}-4-2"
_POINT: Params = {"lr": 0.1, "o": {"k": "a b"}}


def _render(
    template: dict[str, Any] | None = None,
    *,
    local: bool = False,
    params: Params = _POINT,
    environment: dict[str, str] | None = None,
    **fields: Any,
) -> RenderedTraining:
    """Render attempt 2 of trial 4, on Run:ai when there is a template and `local` is not set."""
    training = None if template is None else TrainingTemplate(spec=template)
    around = Surroundings(
        sweep_id=SWEEP_ID,
        sweep_name="demo",
        slug="demo",
        is_local=local or template is None,
        directory="/work",
        files="/files",
        environment=environment or {},
    )
    return render(a_spec(training=training, **fields), around, 4, 2, params)


def _variables(rendered: RenderedTraining) -> dict[str, Any]:
    return _named(rendered.spec["environmentVariables"])


def _named(items: Any) -> dict[str, Any]:
    return {item["name"]: item.get("value") for item in items}


def test_a_local_trial_is_one_start_of_the_argv_in_the_sweeps_directory() -> None:
    rendered = _render(program="my train.py")

    assert rendered.argv == (
        "/usr/bin/env",
        "python",
        "my train.py",
        "--lr=0.1",
        "--o={'k': 'a b'}",
    )
    spec = dict(rendered.spec)
    for key in ("environmentVariables", "labels", "annotations"):
        del spec[key]
    assert spec == {
        "command": "/usr/bin/env",
        "args": shlex.join(rendered.argv[1:]),
        "workingDir": "/work",
        "backoffLimit": 0,
        "restartPolicy": "Never",
        "autoDeletionTimeAfterCompletionSeconds": 7 * 86400,
    }


def test_a_training_carries_its_name_and_marks() -> None:
    rendered = _render({"image": "i"})

    point = digest(_POINT)
    assert (rendered.name, rendered.digest) == (_NAME, point)
    assert (
        _named(rendered.spec["labels"])
        == rendered.labels
        == {
            "sweeper/sweep": SWEEP_ID,
            "sweeper/trial": "4",
            "sweeper/attempt": "2",
            "sweeper/params": point,
        }
    )
    assert _named(rendered.spec["annotations"]) == {"sweeper/sweep-name": "demo"}


def test_a_template_keeps_the_fields_of_the_user() -> None:
    template = {
        "image": "${o.k}",
        "workingDir": "/theirs",
        "backoffLimit": 6,
        "autoDeletionTimeAfterCompletionSeconds": 5,
        "storage": {"pvc": [{"path": "/ckpt/${checkpoint_key}/${sweep}/${trial}/${attempt}"}]},
    }

    spec = _render(template, local=True).spec

    assert spec["image"] == "a b"
    assert {key: spec[key] for key in ("workingDir", "backoffLimit")} == {
        "workingDir": "/theirs",
        "backoffLimit": 6,
    }
    assert spec["autoDeletionTimeAfterCompletionSeconds"] == 5
    assert spec["storage"] == {"pvc": ({"path": f"/ckpt/demo-{SWEEP_ID}-4/demo/4/2"},)}


def test_on_runai_nothing_of_this_machine_is_sent() -> None:
    rendered = _render({"image": "i"}, program="train.py", environment={"HOME": "/root"})

    assert rendered.files == {}
    assert not rendered.spec.keys() & {"workingDir", "backoffLimit", "restartPolicy"}


@pytest.mark.parametrize(("cleanup", "sent"), [(None, None), (timedelta(days=1), 86400)])
def test_cleanup_is_sent_where_the_template_says_nothing(
    cleanup: timedelta | None, sent: int | None
) -> None:
    spec = _render({"image": "i"}, cleanup=cleanup).spec

    assert spec.get("autoDeletionTimeAfterCompletionSeconds") == sent


def test_a_template_with_a_command_line_keeps_it() -> None:
    rendered = _render({"command": "python", "args": "t.py ${o.k}"}, program="ignored.py")

    assert (rendered.spec["command"], rendered.spec["args"]) == ("python", "t.py 'a b'")
    assert rendered.argv == ("python", "t.py", "a b")


def test_a_template_without_one_gets_that_of_the_macros() -> None:
    rendered = _render({"image": "i", "command": None}, command=("python",))

    assert rendered.spec["command"] == "python"
    assert "args" not in rendered.spec
    assert rendered.argv == ("python",)


def test_where_nothing_says_what_to_start_the_image_does() -> None:
    rendered = _render({"image": "i"})

    assert not rendered.spec.keys() & {"command", "args"}
    assert (rendered.argv, rendered.notices) == (None, ())


def test_a_local_trial_without_program_and_command_has_nothing_to_start() -> None:
    rendered = _render()

    assert not rendered.spec.keys() & {"command", "args"}
    assert rendered.argv is None
    assert rendered.notices == ("there is no program to start: add `program:`",)


def test_a_command_line_that_cannot_be_read_has_no_argv() -> None:
    assert _render({"args": "it's"}).argv is None


def test_kubernetes_gives_the_container_the_very_values() -> None:
    params: Params = {"x": "$(POD_IP) $$ 'q'"}

    rendered = _render({"image": "i"}, program="t.py", params=params)

    words = shlex.split(f"{rendered.spec['command']} {rendered.spec['args']}")
    assert tuple(expand(word) for word in words) == rendered.argv
    assert rendered.argv[-1] == "--x=$(POD_IP) $$ 'q'"
    assert json.loads(expand(_variables(rendered)["SWEEPER_PARAMS"])) == params


def test_locally_references_are_escaped_too() -> None:
    """The local control plane expands them as Kubernetes does."""
    rendered = _render(program="t.py", params={"x": "$(POD_IP)"})

    assert rendered.argv == ("/usr/bin/env", "python", "t.py", "--x=$(POD_IP)")
    assert rendered.spec["args"] == "python t.py '--x=$$(POD_IP)'"
    assert _variables(rendered)["SWEEPER_PARAMS"] == '{"x":"$$(POD_IP)"}'


@given(value=st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_a_local_command_line_splits_into_the_argv(value: str) -> None:
    rendered = _render(program="t.py", params={"x": value})

    sent = f"{rendered.spec['command']} {rendered.spec['args']}"
    assert tuple(map(expand, shlex.split(sent))) == rendered.argv


def test_variables_of_the_user_stay_and_come_first() -> None:
    theirs: list[JsonValue] = [
        {"name": "SWEEPER_TRIAL", "value": "mine"},
        {"name": "KEY", "secret": {"name": "s", "key": "k"}},
        {"name": "WANDB_MODE", "exclude": True},
    ]

    rendered = _render({"environmentVariables": theirs})

    names = [item["name"] for item in _items(rendered, "environmentVariables")]
    assert names[:3] == ["SWEEPER_TRIAL", "KEY", "WANDB_MODE"]
    assert len(names) == len(set(names))
    assert _variables(rendered)["SWEEPER_TRIAL"] == "mine"
    assert "WANDB_SWEEP_ID" not in names


def _items(rendered: RenderedTraining, key: str) -> Any:
    return rendered.spec[key]


def test_labels_of_the_user_stay_but_never_in_the_place_of_ours() -> None:
    theirs = [{"name": "team", "value": "a"}, {"name": "sweeper/trial", "value": "9"}, None]

    labels = _items(_render({"labels": theirs}), "labels")

    assert labels[:2] == ({"name": "team", "value": "a"}, None)
    assert [label["value"] for label in labels[2:] if label["name"] == "sweeper/trial"] == ["4"]


@pytest.mark.parametrize("key", ["labels", "annotations", "environmentVariables"])
def test_a_list_that_is_none_is_left_for_the_check(key: str) -> None:
    assert _render({key: {"not": "a list"}}).spec[key] == {"not": "a list"}


def test_a_local_trial_finds_its_params_in_a_file() -> None:
    rendered = _render(program="t.py", params={"lr": 0.1})

    assert rendered.files == {"/files/4.yaml": '{"lr": {"value": 0.1}, "wandb_version": 1}\n'}
    assert _variables(rendered)["WANDB_SWEEP_PARAM_PATH"] == "/files/4.yaml"


def test_the_json_file_is_written_where_the_command_asks_for_it() -> None:
    rendered = _render(command=("run", "${args_json_file}"))

    assert rendered.argv == ("run", "/files/4.json")
    assert json.loads(rendered.files["/files/4.json"]) == _POINT


def test_a_trial_is_rendered_the_same_each_time() -> None:
    assert _render(program="t.py") == _render(program="t.py")


def test_the_spec_cannot_be_changed() -> None:
    spec: Any = _render({"storage": {"pvc": []}}).spec

    with pytest.raises(TypeError):
        spec["storage"]["pvc"] = 1


def test_what_a_training_shows_of_itself_holds_no_secret() -> None:
    command = ("run", "--key=${envvar:KEY}")
    template = {"environmentVariables": [{"name": "T", "value": "hush"}]}

    shown = repr(_render(template, command=command, environment={"KEY": "hush"}))

    assert "hush" not in shown
    assert _NAME in shown


def test_a_value_that_no_command_line_can_carry_is_refused() -> None:
    with pytest.raises(RenderingError, match=r"U\+0000"):
        _render(params={"x": "a\0"})


@pytest.mark.parametrize("local", [True, False])
def test_a_value_in_a_template_is_escaped_where_it_is_sent_and_shown_as_it_is(local: bool) -> None:
    rendered = _render({"args": "run ${v}"}, local=local, params={"v": "$(X)"})

    args = rendered.spec["args"]
    assert isinstance(args, str)
    assert " ".join(shlex.split(args)) == "run $$(X)"
    assert rendered.argv == ("run", "$(X)")


@pytest.mark.parametrize("key", ["command", "args"])
def test_half_a_command_line_of_the_template_is_kept_as_it_is(key: str) -> None:
    rendered = _render({key: "python"}, program="ignored.py")

    assert {"command", "args"} & rendered.spec.keys() == {key}
    assert rendered.argv == ("python",)


def test_the_attempt_is_told_to_the_training() -> None:
    assert _variables(_render({"image": "i"}))["SWEEPER_ATTEMPT"] == "2"


def test_no_parameter_file_is_promised_on_runai() -> None:
    with pytest.raises(RenderingError, match="none can be brought to Run:ai"):
        _render({"image": "i"}, command=("run", "${args_json_file}"))
