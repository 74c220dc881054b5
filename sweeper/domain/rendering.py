"""From a sweep and a trial's params to the training that is created for one attempt."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

from sweeper.domain.expansion import workload_name
from sweeper.domain.macros import Argv, MacroSource, expand_command, json_arguments
from sweeper.domain.marks import SWEEP_NAME_ANNOTATION, checkpoint_key, labels_of
from sweeper.domain.spelling import escape_references, require_legible
from sweeper.domain.surroundings import Surroundings
from sweeper.domain.sweep import SweepSpec
from sweeper.domain.templates import dotted_names, fill
from sweeper.domain.values import JsonValue, Params, digest, freeze
from sweeper.domain.variables import variables_of
from sweeper.domain.wandb import parameter_file


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedTraining:
    """One attempt's training, ready to be sent.

    `spec` is the API's own, frozen; it may hold secrets. `files` are texts by absolute path that
    must exist before it starts. `argv` is its command line before any escaping, None when the
    image decides or when there is nothing to start. `notices` are for the user. `labels` and
    `digest` (of the params) are what the training is known by again.
    """

    name: str
    labels: Mapping[str, str]
    digest: str
    spec: Mapping[str, JsonValue] = field(repr=False)
    files: Mapping[str, str] = field(repr=False)
    argv: tuple[str, ...] | None = field(repr=False)
    notices: tuple[str, ...] = ()


def render(
    spec: SweepSpec, around: Surroundings, number: int, attempt: int, params: Params
) -> RenderedTraining:
    """Return the training of one attempt at a trial; the same arguments always give the same.

    Raises:
        RenderingError: a value cannot be put where the file wants it; names place and remedy.
    """
    require_legible(params)
    trial = _Trial(spec=spec, around=around, number=number, params=params)
    labels = labels_of(around.sweep_id, number, attempt, digest(params))
    body = trial.template(attempt)
    argv = trial.argv(trial.template(attempt, expanded=False))
    own = _names(body.get("environmentVariables"))
    variables = variables_of(around, number, attempt, params, own)
    complete = {
        **trial.defaults(),
        **body,
        **trial.command_line(body),
        **_added(body, "environmentVariables", _each(variables, escape_references)),
        **_added(body, "labels", labels),
        **_added(body, "annotations", {SWEEP_NAME_ANNOTATION: around.sweep_name}),
    }
    return RenderedTraining(
        name=workload_name(around.slug, around.sweep_id, number, attempt),
        labels=labels,
        digest=digest(params),
        spec=cast(Mapping[str, JsonValue], freeze(complete)),
        files=trial.files(),
        argv=argv.words,
        notices=argv.notices,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    spec: SweepSpec
    around: Surroundings
    number: int
    params: Params

    def template(self, attempt: int, *, expanded: bool = True) -> dict[str, JsonValue]:
        """Return the user's own spec with every placeholder filled.

        Every control plane expands references, the local one as Kubernetes does; `expanded` is
        false for what a person is shown.
        """
        if self.spec.training is None:
            return {}
        fixed: dict[str, JsonValue] = {
            "sweep": self.around.sweep_name,
            "trial": self.number,
            "attempt": attempt,
            "checkpoint_key": checkpoint_key(self.around.slug, self.around.sweep_id, self.number),
        }
        names = fixed | dotted_names(self.params)
        return fill(self.spec.training.spec, names, expanded=expanded)

    def defaults(self) -> dict[str, JsonValue]:
        """Return the fields that hold where the user's spec has none of the name."""
        fields: dict[str, JsonValue] = {}
        if self.around.is_local:
            fields["workingDir"] = self.around.directory
        if self.spec.training is None:
            # An attempt is one start, so that every failure is counted by us alone.
            fields |= {"backoffLimit": 0, "restartPolicy": "Never"}
        if self.spec.cleanup is not None:
            seconds = int(self.spec.cleanup.total_seconds())
            fields["autoDeletionTimeAfterCompletionSeconds"] = seconds
        return fields

    def argv(self, body: Mapping[str, JsonValue]) -> Argv:
        """Return the command line as a person would write it."""
        if _has_command(body):
            return Argv(words=_split(body))
        if self.spec.training is not None and self._is_left_to_image:
            return Argv(words=None)
        return self._expanded(protect=str)

    def command_line(self, body: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Return the fields for what the macros make, none where the user's spec has its own."""
        if _has_command(body) or self._is_left_to_image:
            return {}
        words = self._expanded(protect=escape_references).words or ()
        texts = {"command": shlex.join(words[:1]), "args": shlex.join(words[1:])}
        return {name: text for name, text in texts.items() if text}

    def files(self) -> dict[str, str]:
        """Return the files that a local trial reads its params from."""
        if not self.around.is_local:
            return {}
        texts = {self.around.parameter_file(self.number): parameter_file(self.params)}
        if "${args_json_file}" in (self.spec.command or ()):
            texts[self.around.json_file(self.number)] = json_arguments(self.params)
        return texts

    @property
    def _is_left_to_image(self) -> bool:
        return self.spec.program is None and not self.spec.command

    def _expanded(self, protect: Callable[[str], str]) -> Argv:
        source = MacroSource(
            program=self.spec.program,
            params=self.params,
            environment=self.around.environment,
            json_file=self.around.json_file(self.number) if self.around.is_local else None,
            protect=protect,
        )
        return expand_command(self.spec.command, source)


def _has_command(body: Mapping[str, JsonValue]) -> bool:
    return body.get("command") is not None or body.get("args") is not None


def _split(body: Mapping[str, JsonValue]) -> tuple[str, ...] | None:
    texts = (body.get("command"), body.get("args"))
    try:
        return tuple(word for text in texts if isinstance(text, str) for word in shlex.split(text))
    except ValueError:
        return None


def _each(texts: Mapping[str, str], change: Callable[[str], str]) -> dict[str, str]:
    return {name: change(text) for name, text in texts.items()}


def _names(items: JsonValue) -> frozenset[str]:
    if not isinstance(items, list | tuple):
        return frozenset()
    names = (item.get("name") for item in items if isinstance(item, Mapping))
    return frozenset(name for name in names if isinstance(name, str))


def _added(
    body: Mapping[str, JsonValue], key: str, texts: Mapping[str, str]
) -> dict[str, JsonValue]:
    """Return the named list `key` with ours behind the user's, in whose place they stand.

    A list that is none is left for the check of the whole spec to tell.
    """
    present = body.get(key)
    if present is not None and not isinstance(present, list | tuple):
        return {}
    kept = [item for item in present or () if not _names([item]) & texts.keys()]
    return {key: [*kept, *({"name": name, "value": text} for name, text in texts.items())]}
