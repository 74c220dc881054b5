"""Where the values come from that a spec does not hold itself: Secrets, ConfigMaps, the pod.

Secrets and ConfigMaps are folders in the state directory, with a file for each key:
`secrets/NAME/KEY` and `configmaps/NAME/KEY`. Whoever looks after the machine puts them there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sweeper.local.runtime import StartError
from sweeper.local.spec_reading import Spec

KINDS: Final = ("secret", "configMap", "podFieldRef")
FOLDERS: Final[Mapping[str, str]] = {"secret": "secrets", "configMap": "configmaps"}
LARGEST = 1024 * 1024
"""The most bytes of a value; Kubernetes has the same bound for all values of an object."""

_NAME = re.compile(r"[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?")
_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_MEMBER = re.compile(r"metadata\.(labels|annotations)\['([^']*)'\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PodFields:
    """What a pod can tell of itself: `plain` fields by path, labels and annotations by name."""

    plain: Mapping[str, str]
    labels: Mapping[str, str]
    annotations: Mapping[str, str]

    def value(self, path: str) -> str:
        """Return the value of a field; a label or annotation that it has not is empty.

        Raises:
            StartError: there is no such field.
        """
        member = _MEMBER.fullmatch(path)
        if member is not None:
            named = self.labels if member.group(1) == "labels" else self.annotations
            return named.get(member.group(2), "")
        if path not in self.plain:
            known = ", ".join([*self.plain, "metadata.labels['x']", "metadata.annotations['x']"])
            raise StartError(f"podFieldRef.path {path[:80]!r} is none of {known}")
        return self.plain[path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The state directory, and the fields of one pod."""

    state: Path
    fields: PodFields = field(
        default_factory=lambda: PodFields(plain={}, labels={}, annotations={})
    )

    def variable(self, kind: str, reference: Spec) -> str:
        """Return the value of a variable that comes from one of `KINDS`.

        Raises:
            StartError: there is no such value; says where it was looked for.
        """
        if kind == "podFieldRef":
            return self.fields.value(_text(reference, "path"))
        return read_value(self.folder(kind, _text(reference, "name")), _text(reference, "key"))

    def folder(self, kind: str, name: str) -> Path:
        """Return the folder of a Secret or ConfigMap.

        Raises:
            StartError: there is none, or its name is no name.
        """
        return existing(self.state / FOLDERS[kind], name, kind)


def existing(folder: Path, name: str, kind: str) -> Path:
    """Return the folder of that name in a folder; raise StartError where there is none."""
    if _NAME.fullmatch(name) is None:
        raise StartError(f"{kind} {name[:80]!r}: that is no name of Kubernetes")
    path = folder / name
    if not path.is_dir():
        raise StartError(f"{kind} {name} does not exist: make the folder {path}")
    return path


def read_value(folder: Path, key: str) -> str:
    """Return the value of a key of a Secret or ConfigMap; raise StartError where there is none."""
    if _KEY.fullmatch(key) is None or key in {".", ".."}:
        raise StartError(f"{folder.parent.name}/{folder.name} has no key {key[:80]!r}")
    path = folder / key
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        text = content.decode()
    except FileNotFoundError as error:
        raise StartError(f"{path} does not exist: write the value into that file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path} cannot be read as text") from error
    if len(content) > LARGEST:
        raise StartError(f"{path} is larger than {LARGEST} bytes")
    return text


def _text(reference: Spec, key: str) -> str:
    value = reference.get(key)
    return value if isinstance(value, str) else ""
