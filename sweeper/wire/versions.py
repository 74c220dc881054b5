"""Fields that came, and went, with versions of the API after the contract's own.

Read off the published descriptions of the API from 2.21 to 2.24. What stands below a later object
is not listed: it passes with the object, unread.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sweeper.wire.fields import place_of
from sweeper.wire.issues import Path
from sweeper.wire.rules.view import Version

KNOWN_UP_TO: Version = (2, 24)
"""The newest version whose fields are listed here."""

LATER_FIELDS: Mapping[str, Version] = MappingProxyType(
    {
        "category": (2, 22),
        "imagePullSecrets": (2, 22),
        "nodeAffinityRequired": (2, 22),
        "storage.emptyDirVolume": (2, 22),
        "storage.pvc[].claimInfo.addedAttrValues": (2, 22),
        "storage.pvc[].dataSharing": (2, 22),
        "storage.configMapVolume[].defaultMode": (2, 23),
        "storage.git[].secretRef": (2, 23),
        "storage.secretVolume[].defaultMode": (2, 23),
        "environmentVariables[].userCredential": (2, 24),
        "exposedUrls[].authorizationType": (2, 24),
        "preemptibility": (2, 24),
    }
)
"""Fields of a spec by place (as in `storage.pvc[].dataSharing`), and the version each came with."""

LATER_BESIDE: Mapping[str, Version] = MappingProxyType({"templateId": (2, 23)})
"""Fields beside the spec, likewise."""

LATER_PRIORITIES: Version = (2, 22)
"""From then on a priority class is any word."""

MIG_PROFILE_GONE: Version = (2, 24)
"""From then on `compute.migProfile` is no field any more."""


def came_with(path: Path) -> Version | None:
    """Return the version that the field at `path` came with, None when no listed one has it.

    `path` is as in an `Issue`: below the spec, or the name of what stands beside it.
    """
    place = place_of(path)
    return LATER_FIELDS.get(place) or LATER_BESIDE.get(place)


def written(version: Version) -> str:
    """Return a version as `--api-version` takes it."""
    return f"{version[0]}.{version[1]}"
