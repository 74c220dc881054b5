"""What must be given although the schema lets it be absent."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from sweeper.wire.issues import Issue, Severity
from sweeper.wire.rules.view import Rule, Terms, View, standing

MANDATORY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "podAffinity": ("type", "key"),
        "probes.readiness": ("handler",),
        "environmentVariables[]": ("name",),
        "environmentVariables[].secret": ("name", "key"),
        "environmentVariables[].configMap": ("name", "key"),
        "environmentVariables[].podFieldRef": ("path",),
        "annotations[]": ("name",),
        "labels[]": ("name",),
        "tolerations[]": ("operator", "key", "effect"),
        "ports[]": ("container", "serviceType"),
        "exposedUrls[]": ("container",),
        "relatedUrls[]": ("url", "type"),
        "compute.extendedResources[]": ("resource",),
        "storage.dataVolume[]": ("id", "mountPath"),
        "storage.pvc[]": ("path",),
        "storage.hostPath[]": ("path", "mountPath"),
        "storage.nfs[]": ("path", "server", "mountPath"),
        "storage.git[]": ("repository", "path"),
        "storage.configMapVolume[]": ("configMap", "mountPath"),
        "storage.secretVolume[]": ("mountPath", "secret"),
        "storage.s3[]": ("bucket", "path"),
    }
)
"""Fields that the contract's prose calls mandatory, by the place they stand in."""

FILLED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "podAffinity": ("key",),
        "relatedUrls[]": ("url",),
        "storage.dataVolume[]": ("mountPath",),
    }
)
"""Those of them where the schema would take "", which says as little as nothing."""

WHOLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "probes.readiness.handler": ("httpGet",),
        "probes.readiness.handler.httpGet": ("port",),
    }
)
"""What nothing works without, although the contract does not call it mandatory here."""

IDENTITY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "environmentVariables": ("name",),
        "annotations": ("name",),
        "labels": ("name",),
        "tolerations": ("name", "key"),
        "ports": ("name", "container"),
        "exposedUrls": ("name", "container"),
        "relatedUrls": ("name", "url"),
        "compute.extendedResources": ("resource",),
        "storage.dataVolume": ("id", "mountPath"),
        "storage.pvc": ("name", "claimName", "path"),
        "storage.hostPath": ("name", "path", "mountPath"),
        "storage.nfs": ("name", "path", "mountPath"),
        "storage.git": ("name", "repository", "path"),
        "storage.configMapVolume": ("name", "configMap", "mountPath"),
        "storage.secretVolume": ("name", "secret", "mountPath"),
        "storage.s3": ("name", "bucket", "path"),
    }
)
"""Which fields tell the policy's item that an excluded item drops; one of them is enough."""


def mandatory_fields(spec: View, terms: Terms) -> Iterator[Issue]:
    """What prose calls mandatory is given, unless its item is excluded."""
    if not terms.wants_mandatory:
        return
    for place, keys in MANDATORY.items():
        for view in standing(spec, place):
            for key in keys:
                if not view.has(key):
                    yield view.error(key, "is mandatory and missing: give it")
                elif key in FILLED.get(place, ()) and view.text(key) == "":
                    yield view.error(key, "is mandatory and empty: give it content")


def whole_fields(spec: View, terms: Terms) -> Iterator[Issue]:
    """What nothing works without is given."""
    for place, keys in WHOLE.items():
        for view in standing(spec, place):
            for key in keys:
                if not view.has(key):
                    message = "is missing, and nothing works without it: give it"
                    yield view.issue(key, message, terms.inferred)


def excluded_items(spec: View, terms: Terms) -> Iterator[Issue]:
    """An excluded item says which item of the policy it drops."""
    if not terms.is_client:
        return
    for place, keys in IDENTITY.items():
        *parents, last = place.split(".")
        for view in standing(spec, ".".join(parents)) if parents else (spec,):
            for item in view.items(last):
                if item.is_on("exclude") and not any(item.has(key) for key in keys):
                    wanted = " or ".join(keys)
                    yield item.error("exclude", f"drops nothing: give {wanted} to say which item")


def null_items(spec: View, terms: Terms) -> Iterator[Issue]:
    """An item of a list is something."""
    for place in IDENTITY if terms.is_client else ():
        *parents, last = place.split(".")
        for view in standing(spec, ".".join(parents)) if parents else (spec,):
            value = view.members.get(last)
            for number, item in enumerate(value if isinstance(value, list) else ()):
                if item is None:
                    message = "is null and says nothing: drop the item"
                    path = (*view.path, last, number)
                    yield Issue(path=path, message=message, severity=Severity.WARNING)


RULES: tuple[Rule, ...] = (mandatory_fields, whole_fields, excluded_items, null_items)
