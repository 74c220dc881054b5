"""From a training's spec to the process that stands for it: words, environment, directory.

A spec describes a container; what of it concerns a process of this machine is taken as
Kubernetes takes it, the rest (image, security) is left alone.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sweeper.local.runtime import StartError
from sweeper.local.sources import KINDS, Sources
from sweeper.local.spec_reading import Spec, items_of, members_of

_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")
_IGNORED = (
    *("image", "imagePullPolicy", "security", "tolerations", "podAffinity", "tty"),
    *("ports", "exposedUrls"),
)
_IGNORED_STORAGE = ("nfs", "s3")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is started; the environment may hold secrets."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    directory: str


def read_command(
    spec: Spec, inherited: Mapping[str, str], directory: str, sources: Sources
) -> Command:
    """Return the process that a spec asks for.

    `command` and `args` are split into words as a shell would, and `$(NAME)` in words and
    values is replaced as Kubernetes does. The spec's variables go before `inherited`. Without
    `workingDir` the process runs in `directory`, to which a relative one is joined by whoever
    starts it.

    Raises:
        StartError: there is no command, or a value that does not exist.
    """
    environment = dict(inherited)
    for name, value in _variables(spec, sources):
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
    storage = members_of(spec, "storage")
    found = [name for name in _IGNORED if spec.get(name) not in (None, False, {}, [])]
    found += [f"storage.{kind}" for kind in _IGNORED_STORAGE if storage.get(kind)]
    return tuple(found)


def _words(spec: Spec, key: str) -> list[str]:
    text = spec.get(key)
    if not isinstance(text, str):
        return []
    try:
        return shlex.split(text)
    except ValueError as error:
        raise StartError(f"spec.{key} cannot be split into words: {error}") from error


def _variables(spec: Spec, sources: Sources) -> Iterator[tuple[str, str]]:
    """Yield names and values of the variables of a spec."""
    for number, item in items_of(spec, "environmentVariables"):
        found = _variable(item, f"spec.environmentVariables[{number}]", sources)
        if found is not None:
            yield found


def _variable(item: Spec, place: str, sources: Sources) -> tuple[str, str] | None:
    name, value = item.get("name"), item.get("value")
    if not isinstance(name, str):
        return None
    source = next((kind for kind in KINDS if item.get(kind) is not None), None)
    if source is not None:
        try:
            value = sources.variable(source, members_of(item, source))
        except StartError as error:
            raise StartError(f"{place} ({name}): {error}") from error
    if not name or "=" in name or "\0" in name:
        raise StartError(f"{place}.name is no name of a variable")
    text = value if isinstance(value, str) else ""
    if "\0" in text:
        raise StartError(f"{place}.value ({name}) must not hold the character NUL")
    return name, text
