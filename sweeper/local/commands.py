"""From a training's spec to the process that stands for it: words, environment, directory.

A spec describes a container; what of it concerns a process of this machine is taken as
Kubernetes takes it, the rest (image, volumes, security) is left alone.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sweeper.domain.values import JsonValue
from sweeper.local.runtime import StartError
from sweeper.local.spec_reading import Spec

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
_SOURCES = ("secret", "configMap", "podFieldRef")
_IGNORED = ("image", "storage", "security", "probes", "parallelism", "completions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is started; the environment may hold secrets."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    directory: str


def read_command(spec: Spec, inherited: Mapping[str, str], directory: str) -> Command:
    """Return the process that a spec asks for.

    `command` and `args` are split into words as a shell would, and `$(NAME)` in words and
    values is replaced as Kubernetes does. The spec's variables go before `inherited`. Without
    `workingDir` the process runs in `directory`, to which a relative one is joined by whoever
    starts it.

    Raises:
        StartError: there is no command, or something in the spec only a cluster has.
    """
    environment = dict(inherited)
    for name, value in _variables(spec):
        environment[name] = expand(value, environment)
    words = [*_words(spec, "command"), *_words(spec, "args")]
    if not words:
        raise StartError(
            "spec.command and spec.args are not given, and images have no meaning on this "
            "machine: name the program in spec.command"
        )
    argv = tuple(expand(word, environment) for word in words)
    if any("\0" in text for text in argv):
        raise StartError("spec.command and spec.args must not hold the character NUL")
    working_dir = spec.get("workingDir")
    return Command(
        argv=argv,
        environment=environment,
        directory=working_dir if isinstance(working_dir, str) else directory,
    )


def expand(text: str, environment: Mapping[str, str]) -> str:
    """Replace `$(NAME)` by a variable as Kubernetes does: unknown ones stay, `$$` is one `$`."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        return "$" if name is None else environment.get(name, match.group(0))

    return _REFERENCE.sub(value, text)


def ignored_fields(spec: Spec) -> tuple[str, ...]:
    """Return the fields given that mean nothing to a process of this machine."""
    return tuple(name for name in _IGNORED if spec.get(name) not in (None, {}, []))


def _words(spec: Spec, key: str) -> list[str]:
    text = spec.get(key)
    if not isinstance(text, str):
        return []
    try:
        return shlex.split(text)
    except ValueError as error:
        raise StartError(f"spec.{key} cannot be split into words: {error}") from error


def _variables(spec: Spec) -> Iterator[tuple[str, str]]:
    """Yield names and values of the variables of a spec."""
    items = spec.get("environmentVariables")
    for place, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, Mapping) and item.get("exclude") is not True:
            found = _variable(item, f"spec.environmentVariables[{place}]")
            if found is not None:
                yield found


def _variable(item: Mapping[str, JsonValue], place: str) -> tuple[str, str] | None:
    name, value = item.get("name"), item.get("value")
    if not isinstance(name, str):
        return None
    source = next((key for key in _SOURCES if item.get(key) is not None), None)
    if source is not None:
        raise StartError(
            f"{place} ({name}) takes its value from {source}, which only a cluster has: "
            "give a value, or set it in the environment of this control plane"
        )
    if not name or "=" in name or "\0" in name:
        raise StartError(f"{place}.name is no name of a variable")
    text = value if isinstance(value, str) else ""
    if "\0" in text:
        raise StartError(f"{place}.value ({name}) must not hold the character NUL")
    return name, text
