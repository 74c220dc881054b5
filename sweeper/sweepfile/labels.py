"""W&B's keys that label a sweep, or speak to services of W&B: they have no effect here.

What is wrong with them is said as W&B says it: its schema (`sweeps` 0.3.0, config/schema.json) and
the checks beside it (config/cfg.py).
"""

from collections.abc import Mapping, Sequence

from sweeper.sweepfile.document import is_given
from sweeper.sweepfile.findings import Findings
from sweeper.sweepfile.places import Node
from sweeper.wire.rules.view import shown

_TEXTS = ("description", "entity", "project", "apiVersion", "kind", "job", "image_uri")
_OF_SWEEPS = (*_TEXTS, "name", "program", "command", "controller", "run_cap", "metric")
_NEVER_EMPTY = (*_OF_SWEEPS, "early_terminate", "scheduler")
_ENGINES: Mapping[str, Sequence[str]] = {
    "wandb": ("grid", "random", "bayes"),
    "optuna": ("custom",),
    "ax": ("custom",),
}
_LAUNCH = {
    "job": "W&B Launch's job: sweeper starts what program and command say",
    "image_uri": "W&B Launch's image: sweeper's is training.spec.image",
    "launch": "W&B Launch's queue and resources: sweeper's are training and limits",
    "scheduler": "W&B Launch's scheduler: sweeper is one, and limits.active bounds its trials",
    "settings": "W&B's: sweeper does not read it",
}
_OF_SCHEDULER = frozenset({"engine", "source", "optimizer", "search_space"})
_LAUNCH_SCHEDULER = frozenset({"job", "num_workers", "docker_image", "resource", "resource_args"})


def check_labels(findings: Findings) -> None:
    """Say what W&B would complain about in these keys, and which ones are W&B Launch's."""
    for key in _NEVER_EMPTY:
        if key in findings.root.members and not is_given(findings, key):
            findings.violation((key,), "says nothing: remove the key", key=True)
    for key in _TEXTS:
        if is_given(findings, key) and not isinstance(_value(findings, key), str):
            findings.violation((key,), f"{_shown(findings, key)} is no text: quote it")
    kind = _value(findings, "kind")
    if isinstance(kind, str) and kind != "sweep":
        findings.violation(("kind",), f"{shown(kind)} is no kind of W&B's: write sweep")
    _check_controller(findings)
    for key, words in _LAUNCH.items():
        if is_given(findings, key):
            findings.warning((key,), words, key=True)
    if is_given(findings, "scheduler") and not _is_of_launch(findings):
        _check_scheduler(findings)


def _check_controller(findings: Findings) -> None:
    if not is_given(findings, "controller"):
        return
    controller = findings.root.members["controller"].members.get("type")
    if controller is None or controller.value not in ("cloud", "local"):
        shown_as = _shown(findings, "controller")
        findings.violation(("controller",), f"{shown_as} is no controller: write {{type: cloud}}")


def _is_of_launch(findings: Findings) -> bool:
    """Return whether `wandb launch-sweep` takes the scheduler for itself."""
    members = _members(findings)
    return bool(_LAUNCH_SCHEDULER & members.keys()) and "engine" not in members


def _has_local_controller(findings: Findings) -> bool:
    controller = findings.root.members.get("controller")
    kind = None if controller is None else controller.members.get("type")
    return kind is not None and kind.value == "local"


def _members(findings: Findings) -> Mapping[str, Node]:
    return findings.root.members["scheduler"].members


def _check_scheduler(findings: Findings) -> None:
    engine = _members(findings).get("engine")
    name = None if engine is None else engine.value
    if not isinstance(name, str) or name not in _ENGINES:
        findings.violation(("scheduler",), "needs an engine: write {engine: wandb}", key=True)
    elif _value(findings, "method") not in _ENGINES[name]:
        method = _shown(findings, "method") if is_given(findings, "method") else "none"
        findings.violation(("scheduler",), f"{name} does not go with method {method}", key=True)
    for key, node in _members(findings).items():
        if key not in _OF_SCHEDULER:
            findings.violation(
                ("scheduler", key), "W&B does not know this key; remove it", key=True
            )
        elif not isinstance(node.value, str):
            findings.violation(("scheduler", key), f"{shown(node.plain())} is no text: quote it")
        elif key in ("optimizer", "search_space") and "source" not in _members(findings):
            findings.violation(("scheduler", key), "is a function of source: name it", key=True)
    if is_given(findings, "early_terminate") or _has_local_controller(findings):
        findings.violation(
            ("scheduler",), "does not go with early_terminate or a local controller", key=True
        )


def _value(findings: Findings, key: str) -> object:
    node = findings.root.members.get(key)
    return None if node is None else node.value


def _shown(findings: Findings, key: str) -> str:
    return shown(findings.root.members[key].plain())
