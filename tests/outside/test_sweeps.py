"""W&B's own packages, sweeps and wandb, take a sweep file to mean what sweeper does."""

import json
import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest
import sweeps
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from sweeps.config.cfg import schema_violations_from_proposed_config
from sweeps.params import HyperParameter
from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

from sweeper.domain.expansion import Expansion
from sweeper.domain.macros import MacroSource, expand_command
from sweeper.domain.sampling import leaves
from sweeper.domain.values import Params, freeze, plain
from sweeper.domain.wandb import parameter_file
from sweeper.errors import SweepFileError
from sweeper.sweepfile.loading import load
from sweeper.sweepfile.reading import ReadingContext, SweepFile, parse_sweep

FILES = sorted((Path(__file__).parents[1] / "data" / "wandb" / "files").glob("*.yaml"))
_CONTEXT = ReadingContext(today=date(2026, 3, 1), default_active_local=4)
_MOST = 400
"""Trials that are compared of a grid."""

_ENVIRONMENT = {"SIZE": "large $x", "EMPTY": ""}
_WORDS = [
    "${env}", "${interpreter}", "${program}", "${args}", "${args_no_equals}", "${args_no_hyphens}",
    "${args_no_boolean_flags}", "${args_append_hydra}", "${args_override_hydra}", "${args_json}",
    "${args_json_file}", "${envvar:SIZE}", "--size=${envvar:SIZE}/${envvar:EMPTY}",
    "${envvar:MISSING_HERE}", "${envvar:lower}", "a ${args} b", "$$", "python", "",
]  # fmt: skip

_EXAMPLES = settings(max_examples=200, deadline=None, derandomize=True)

_names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,5}", fullmatch=True)
_numbers = st.integers(-1000, 1000) | st.floats(-1000, 1000).map(lambda value: round(value, 4))
_scalars = st.none() | st.booleans() | _numbers | st.sampled_from(["adam", "3", "true", "a b", ""])
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_names, inner, max_size=2),
    max_leaves=4,
)
_steps = st.sampled_from([1, 2, 5, 0.5, 0.25, 0.1, 1.0])


@st.composite
def _ranges(draw: st.DrawFn, distribution: str | None, low: float, high: float) -> dict[str, Any]:
    bounds: st.SearchStrategy[float] = st.integers(math.ceil(low), math.floor(high))
    if distribution != "int_uniform":
        bounds = bounds | st.floats(low, high).map(lambda value: round(value, 6))
    first, last = sorted(draw(st.lists(bounds, min_size=2, max_size=2, unique=True)))
    found: dict[str, Any] = {"min": first, "max": last}
    if distribution is not None:
        found["distribution"] = distribution
        if distribution.startswith("q_") and draw(st.booleans()):
            found["q"] = draw(_steps)
    return found


@st.composite
def _bells(
    draw: st.DrawFn, distribution: str, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, Any]:
    found: dict[str, Any] = {"distribution": distribution}
    for key, (low, high) in ranges.items():
        if draw(st.booleans()):
            found[key] = round(draw(st.floats(low, high)), 3)
    if distribution.startswith("q_") and draw(st.booleans()):
        found["q"] = draw(_steps)
    return found


@st.composite
def _weighted(draw: st.DrawFn) -> dict[str, Any]:
    values = draw(st.lists(_values, min_size=1, max_size=5))
    shares = draw(st.lists(st.integers(0, 9), min_size=len(values), max_size=len(values)))
    total = sum(shares)
    if not total:
        shares[0] = total = 1
    return {"values": values, "probabilities": [share / total for share in shares]}


_constants = st.builds(lambda value: {"value": value}, _values)
_choices = st.builds(lambda values: {"values": values}, st.lists(_values, min_size=1, max_size=5))
_walked = (
    _constants
    | _choices
    | _ranges("int_uniform", -5, 5)
    | _ranges("q_uniform", -3, 3).map(lambda found: {"q": 0.5} | found)
    | st.builds(
        lambda first, count: {"min": first, "max": first + count},
        st.integers(-5, 5),
        st.integers(1, 6),
    )
)
_powers = st.one_of(
    *(_ranges(name, -8, 8) for name in ("log_uniform", "q_log_uniform", "inv_log_uniform"))
)
_drawn = (
    _constants
    | _choices
    | _weighted()
    | st.one_of(*(_ranges(name, -50, 50) for name in (None, "int_uniform", "uniform", "q_uniform")))
    | st.one_of(
        *(
            _ranges(name, 0.001, 900)
            for name in ("log_uniform_values", "inv_log_uniform_values", "q_log_uniform_values")
        )
    )
    | st.one_of(
        *(
            _bells(name, {"mu": (-4, 4), "sigma": (0.01, 3)})
            for name in ("normal", "q_normal", "log_normal", "q_log_normal")
        )
    )
    | st.one_of(*(_bells(name, {"a": (0.2, 5), "b": (0.2, 5)}) for name in ("beta", "q_beta")))
)


def _spaces(parameter: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(_names, parameter, min_size=1, max_size=4)


def _nested(parameter: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    inner = st.builds(lambda space: {"parameters": space}, _spaces(parameter))
    return _spaces(parameter | inner)


def _read(config: Mapping[str, Any]) -> SweepFile:
    return parse_sweep(json.dumps(config), "sweep.yaml", _CONTEXT)


def _ours(config: Mapping[str, Any]) -> list[str]:
    """Return the params of the first trials that sweeper makes of a grid."""
    expansion = Expansion(_read(config).spec)
    count = min(expansion.planned or 0, _MOST)
    return [_exact(plain(expansion.params(number))) for number in range(count)]


def _theirs(config: Mapping[str, Any]) -> list[str]:
    """Return the params of the first runs that W&B makes of a grid."""
    runs = sweeps.next_runs({**config}, [], n=_MOST)
    return [
        _exact({name: entry["value"] for name, entry in run.config.items()})
        for run in runs
        if run is not None
    ]


def _exact(value: Any) -> str:
    """Return a text that tells 1, 1.0 and True apart."""
    return json.dumps(value, sort_keys=True)


@_EXAMPLES
@given(parameters=_nested(_walked))
def test_a_grid_has_the_trials_of_wandb_in_its_order(parameters: dict[str, Any]) -> None:
    config = {"method": "grid", "program": "train.py", "parameters": parameters}

    assert _ours(config) == _theirs(config)


@_EXAMPLES
@given(parameter=_drawn | _powers, quantile=st.floats(1e-6, 1 - 1e-6))
def test_a_parameter_has_the_value_of_wandb_at_every_quantile(
    parameter: dict[str, Any], quantile: float
) -> None:
    config = {"method": "random", "program": "train.py", "parameters": {"p": parameter}}
    ((_, ours),) = leaves(_read(config).spec.space)
    found = HyperParameter("p", parameter).ppf(quantile)

    theirs = found.item() if hasattr(found, "item") else found
    value = plain(ours.at(quantile))

    assert type(value) is type(theirs)
    assert value == (pytest.approx(theirs, rel=1e-9) if isinstance(theirs, float) else theirs)


@_EXAMPLES
@given(parameters=_nested(_drawn), method=st.sampled_from(["random", "bayes"]))
def test_what_wandb_takes_without_complaint_sweeper_does(
    parameters: dict[str, Any], method: str
) -> None:
    config = {
        "method": method,
        "program": "train.py",
        "metric": {"name": "loss"},
        "parameters": parameters,
    }

    assert schema_violations_from_proposed_config(config) == []
    assert _read(config).violations == ()


_SPOILT = st.sampled_from([None, True, "x", -1, 0, [], {}, [1, "a"], {"a": 1}, float(10**6)])


@_EXAMPLES
@given(
    parameter=_drawn | _powers,
    spoils=st.dictionaries(
        st.sampled_from(
            ["min", "max", "q", "mu", "sigma", "value", "values", "probabilities", "distribution",
             "parameters", "extra", "b"]
        ),
        _SPOILT,
        min_size=1,
        max_size=2,
    ),
)  # fmt: skip
def test_what_wandb_complains_about_sweeper_does(
    parameter: dict[str, Any], spoils: dict[str, Any]
) -> None:
    config = {
        "method": "random",
        "program": "train.py",
        "parameters": {"p": parameter | spoils},
    }

    if _has_complaints(config):
        assert _complains(config)


_LOOSE: dict[str, Any] = {
    "name": "n",
    "description": "d",
    "entity": "e",
    "project": "p",
    "apiVersion": "1",
    "kind": "sweep",
    "program": "train.py",
    "job": "lab/job:1",
    "image_uri": "image",
    "command": ["python"],
    "controller": {"type": "cloud"},
    "run_cap": 3,
    "metric": {"name": "loss", "goal": "maximize"},
    "early_terminate": {"type": "hyperband", "min_iter": 3},
    "method": "random",
    "scheduler": {"engine": "wandb"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
}
_TOP = {"method": "random", "program": "train.py", "parameters": {"lr": {"min": 0.0, "max": 1.0}}}


@_EXAMPLES
@given(
    kept=st.sets(st.sampled_from(sorted(_LOOSE))),
    key=st.sampled_from(sorted(_LOOSE)),
    spoilt=_SPOILT,
)
def test_what_wandb_complains_about_at_the_top_sweeper_does(
    kept: set[str], key: str, spoilt: Any
) -> None:
    config = _TOP | {name: _LOOSE[name] for name in kept}

    assert _complains(config) is _has_complaints(config)
    if _has_complaints(config | {key: spoilt}):
        assert _complains(config | {key: spoilt})


@_EXAMPLES
@given(
    section=st.sampled_from(["metric", "early_terminate"]),
    keys=st.dictionaries(
        st.sampled_from(
            ["name", "goal", "target", "impute", "impute_while_running", "type", "min_iter",
             "max_iter", "s", "eta", "strict", "other"]
        ),
        _SPOILT | st.sampled_from(["minimize", "max", "worst", "best", "false", "hyperband", 3, 2]),
        max_size=3,
    ),
)  # fmt: skip
def test_what_wandb_complains_about_in_a_section_sweeper_does(
    section: str, keys: dict[str, Any]
) -> None:
    kept = {name: _LOOSE[name] for name in ("metric", "early_terminate")}
    config = _TOP | kept | {section: kept[section] | keys}

    if _has_complaints(config):
        assert _complains(config)


def _has_complaints(config: dict[str, Any]) -> bool:
    """Return whether W&B finds fault with a config, or fails over it."""
    try:
        return bool(schema_violations_from_proposed_config(config))
    except Exception:  # noqa: BLE001 - it raises whatever its code runs into
        return True


def _complains(config: Mapping[str, Any]) -> bool:
    try:
        return bool(_read(config).violations)
    except SweepFileError:
        return True


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_is_found_fault_with_where_wandb_finds_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert bool(parse_sweep(text, file.name, _CONTEXT).violations) is _has_complaints(_data(text))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_has_the_trials_or_the_values_of_wandb(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    data, read = _data(text), parse_sweep(text, file.name, _CONTEXT)

    if data["method"] == "grid":
        expansion = Expansion(read.spec)
        found = [
            _exact(plain(expansion.params(number)))
            for number in range(min(expansion.planned or 0, _MOST))
        ]
        assert found == _theirs(data)[: len(found)]
        return
    for path, ours in leaves(read.spec.space):
        given = data["parameters"]
        for name in path[:-1]:
            given = given[name]["parameters"]
        theirs = HyperParameter(".".join(path), given[path[-1]])
        for quantile in (0.001, 0.3, 0.5, 0.77, 0.999):
            found = theirs.ppf(quantile)
            wanted = found.item() if hasattr(found, "item") else found
            value = plain(ours.at(quantile))
            assert value == (pytest.approx(wanted) if isinstance(wanted, float) else wanted)


def _data(text: str) -> dict[str, Any]:
    """Return a file's data as W&B's server has it: with the numbers of YAML 1.2.

    `wandb launch-sweep` keeps what is meant for itself.
    """
    found: dict[str, Any] = json.loads(json.dumps(load(text).root.plain()))
    found.pop("launch", None)
    if "job" in (found.get("scheduler") or ()):
        del found["scheduler"]
    return found


@_EXAMPLES
@given(params=st.dictionaries(_names, _values, min_size=1, max_size=4))
def test_the_client_of_wandb_reads_the_params_from_the_file_of_a_trial(
    params: dict[str, Any],
) -> None:
    read = yaml.safe_load(parameter_file(cast(Params, freeze(params))))

    del read["wandb_version"]
    assert {name: _exact(entry["value"]) for name, entry in read.items()} == {
        name: _exact(value) for name, value in params.items()
    }


@_EXAMPLES
@given(
    params=st.dictionaries(_names, _values, min_size=1, max_size=4),
    command=st.lists(st.sampled_from(_WORDS), min_size=1, max_size=5),
)
def test_a_command_becomes_the_argv_of_the_agent_of_wandb(
    params: dict[str, Any],
    command: list[str],
) -> None:
    source = MacroSource(
        program="train.py",
        params=cast(Params, freeze(params)),
        environment=_ENVIRONMENT,
        json_file="/files/1.json",
    )

    assert expand_command(command, source).words == (_agents_argv(command, params) or None)


def _agents_argv(command: list[str], params: dict[str, Any]) -> tuple[str, ...]:
    """Return what W&B's agent starts, as its `_command_run` puts it together."""
    entries = {name: {"value": value} for name, value in sorted(params.items())}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _ENVIRONMENT.items():
            patch.setenv(name, value)
        words = create_sweep_command([*command])
    macros = create_sweep_command_args({"args": entries})
    macros |= {
        "env": ["/usr/bin/env"],
        "interpreter": ["python"],
        "program": ["train.py"],
        "args_json_file": ["/files/1.json"],
    }
    found: list[str] = []
    for word in words:
        if word.startswith("${") and word.endswith("}"):
            found += macros.get(word[2:-1], [])
        else:
            found.append(word)
    return tuple(found)
