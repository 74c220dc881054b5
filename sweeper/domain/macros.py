"""W&B's `command`: a list with macros that becomes a trial's argv, as W&B's own agent makes it.

Ours alone is `${name}` with the name of a parameter: W&B drops it as a whole item and passes it
on literally inside one, although its documents say otherwise; here it is the value.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sweeper.domain.spelling import shown, spell
from sweeper.domain.templates import dotted_names
from sweeper.domain.values import JsonValue, Params, plain
from sweeper.errors import RenderingError

DEFAULT_COMMAND = ("${env}", "${interpreter}", "${program}", "${args}")

_VARIABLE = re.compile(r"\$\{envvar:([A-Z0-9_]*)\}")
_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Argv:
    """A trial's command line; `words` is None when there is nothing to start.

    `notices` tell where it differs from what W&B would start, or from what was surely meant.
    """

    words: tuple[str, ...] | None
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MacroSource:
    """What macros are taken from.

    `environment` answers `${envvar:NAME}`; `json_file` is the path that `${args_json_file}`
    stands for, None where no file can be brought. `protect` is applied to every text that comes
    from a value, never to what the author of the command wrote.
    """

    program: str | None
    params: Params
    environment: Mapping[str, str]
    json_file: str | None = None
    protect: Callable[[str], str] = str


def expand_command(command: Sequence[str] | None, source: MacroSource) -> Argv:
    """Return the argv that `command` (None or empty: W&B's default) makes of the params.

    Raises:
        RenderingError: `${args_json_file}` is asked for where there can be no file.
    """
    items = tuple(command or DEFAULT_COMMAND)
    if source.program is None and "${program}" in items:
        return Argv(words=None, notices=("there is no program to start: add `program:`",))
    expander = _Expander(source)
    words = tuple(word for item in items for word in expander.expand(item))
    return Argv(words=words or None, notices=tuple(dict.fromkeys(expander.notices)))


def json_arguments(params: Params) -> str:
    """Return the JSON object that `${args_json}` stands for."""
    return json.dumps({name: plain(value) for name, value in sorted(params.items())})


class _Expander:
    def __init__(self, source: MacroSource) -> None:
        self._source = source
        self._names = dotted_names(source.params)
        self.notices: list[str] = []

    def expand(self, item: str) -> Iterator[str]:
        item = _VARIABLE.sub(self._variable, item)
        if not (item.startswith("${") and item.endswith("}")):
            yield self._replace(item)
            return
        macro = item[2:-1]
        words = self._macro(macro)
        if words is not None:
            yield from words
        elif any(name in self._names for name in _PLACEHOLDER.findall(item)):
            yield self._replace(item)
        else:
            self.notices.append(
                f"{shown(item)} is no macro and no parameter: it is dropped, as by W&B"
            )

    def _macro(self, name: str) -> list[str] | None:
        """Return what a macro of W&B stands for, None when it is none."""
        match name:
            case "env":
                return ["/usr/bin/env"]
            case "interpreter":
                return ["python"]
            case "program":
                return [self._source.program or ""]
            case "args_json":
                return [self._source.protect(json_arguments(self._source.params))]
            case "args_json_file":
                return [self._json_file()]
            case _:
                return self._flags(name)

    def _flags(self, name: str) -> list[str] | None:
        params = sorted(self._source.params.items())
        match name:
            case "args":
                words = [f"--{key}={spell(value)}" for key, value in params]
            case "args_no_equals":
                words = [word for key, value in params for word in (f"--{key}", spell(value))]
            case "args_no_hyphens":
                words = [f"{key}={spell(value)}" for key, value in params]
            case "args_no_boolean_flags":
                words = [_switch(key, value) for key, value in params if value is not False]
            case "args_append_hydra":
                words = [f"+{key}={spell(value)}" for key, value in params]
            case "args_override_hydra":
                words = [f"++{key}={spell(value)}" for key, value in params]
            case _:
                return None
        return [self._source.protect(word) for word in words]

    def _json_file(self) -> str:
        if self._source.json_file is None:
            raise RenderingError(
                "command: ${args_json_file} needs a file, and none can be brought to Run:ai: "
                "use ${args_json}, or read SWEEPER_PARAMS"
            )
        return self._source.json_file

    def _variable(self, found: re.Match[str]) -> str:
        name = found[1]
        value = self._source.environment.get(name)
        if value is None:
            place = shown(found[0])
            self.notices.append(f"{shown(name)} is not set: {place} becomes its name, as with W&B")
            return name
        return self._source.protect(value)

    def _replace(self, item: str) -> str:
        return _PLACEHOLDER.sub(self._value, item)

    def _value(self, found: re.Match[str]) -> str:
        if found[1] not in self._names:
            return found[0]
        self.notices.append(
            f"{shown(found[0])} is replaced by the parameter, which W&B does not do"
        )
        return self._source.protect(spell(self._names[found[1]]))


def _switch(name: str, value: JsonValue) -> str:
    return f"--{name}" if value is True else f"--{name}={spell(value)}"
