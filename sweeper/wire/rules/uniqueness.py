"""What may stand only once in a spec: names within a list, mount paths over all storage."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from sweeper.wire.issues import Issue, Path, Severity, dotted
from sweeper.wire.rules.view import Rule, Terms, View, shown, standing

NAMES: Mapping[str, str] = MappingProxyType(
    {
        "ports[]": "name",
        "exposedUrls[]": "name",
        "relatedUrls[]": "name",
        "storage.pvc[]": "name",
        "storage.hostPath[]": "name",
        "storage.nfs[]": "name",
        "storage.git[]": "name",
        "storage.configMapVolume[]": "name",
        "storage.secretVolume[]": "name",
        "storage.s3[]": "name",
    }
)
"""Lists whose names the contract calls unique."""

INFERRED_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "environmentVariables[]": "name",
        "annotations[]": "name",
        "labels[]": "name",
        "tolerations[]": "name",
        "compute.extendedResources[]": "resource",
    }
)
"""Lists in which a second item of one name would contradict the first."""

MOUNTS: Mapping[str, str] = MappingProxyType(
    {
        "storage.dataVolume[]": "mountPath",
        "storage.pvc[]": "path",
        "storage.hostPath[]": "mountPath",
        "storage.nfs[]": "mountPath",
        "storage.git[]": "path",
        "storage.configMapVolume[]": "mountPath",
        "storage.secretVolume[]": "mountPath",
        "storage.s3[]": "path",
    }
)
"""Where each kind of storage says at which path of the container it appears."""


def unique_names(spec: View, terms: Terms) -> Iterator[Issue]:
    """Item names are unique in their list."""
    for names, severity in ((NAMES, Severity.ERROR), (INFERRED_NAMES, terms.inferred)):
        for place, key in names.items():
            named = [(item, key, item.text(key)) for item in standing(spec, place)]
            yield from _repeated(named, severity, "give each item a name of its own")


def unique_mounts(spec: View, terms: Terms) -> Iterator[Issue]:
    """No two volumes appear at one path."""
    mounts = [
        (item, key, _normal(item.text(key)))
        for place, key in MOUNTS.items()
        for item in standing(spec, place)
    ]
    yield from _repeated(mounts, terms.inferred, "mount each volume at a path of its own")


def _normal(path: str | None) -> str | None:
    return posixpath.normpath(path) if path else None


def _repeated(
    found: Iterable[tuple[View, str, str | None]], severity: Severity, remedy: str
) -> Iterator[Issue]:
    first: dict[str, Path] = {}
    for item, key, word in found:
        if not word:
            continue
        if word in first:
            message = f"{shown(word)} is taken by {dotted(first[word])}: {remedy}"
            yield item.issue(key, message, severity)
        else:
            first[word] = item.path


RULES: tuple[Rule, ...] = (unique_names, unique_mounts)
