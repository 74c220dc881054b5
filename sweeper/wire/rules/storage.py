"""Rules about volumes."""

from collections.abc import Iterator

from sweeper.wire.issues import Issue
from sweeper.wire.rules.view import Rule, Terms, View, shown, standing

_COUNTS_WITH = (
    ("storage.git[]", "passwordSecret", ("secretKeyOfUser", "secretKeyOfPassword")),
    ("storage.s3[]", "accessKeySecret", ("secretKeyOfAccessKeyId", "secretKeyOfSecretKey")),
)


def existing_claims(spec: View, terms: Terms) -> Iterator[Issue]:
    """A claim that exists is named, and not described."""
    for pvc in standing(spec, "storage.pvc[]"):
        if not pvc.is_on("existingPvc"):
            continue
        if pvc.has("claimInfo"):
            message = "describes a new claim, and existingPvc is true: drop one or the other"
            yield pvc.error("claimInfo", message)
        if not pvc.has("claimName"):
            message = "is missing: existingPvc is true, so say which claim that is"
            yield pvc.issue("claimName", message, terms.inferred)


def new_claims(spec: View, terms: Terms) -> Iterator[Issue]:
    """A claim that may have to be made has a size."""
    for pvc in standing(spec, "storage.pvc[]") if terms.wants_mandatory else ():
        if pvc.is_on("existingPvc"):
            continue
        if not pvc.has("claimInfo"):
            message = "is missing: give it with a size such as 10Gi, or set existingPvc to true"
            yield pvc.error("claimInfo", message)
        info = pvc.child("claimInfo")
        if info is not None and not info.has("size"):
            yield info.error("size", "is missing: a new claim needs one, such as 10Gi")


def access_modes(spec: View, terms: Terms) -> Iterator[Issue]:
    """Someone may mount a new claim."""
    for modes in standing(spec, "storage.pvc[].claimInfo.accessModes"):
        if modes.is_off("readWriteOnce") and not (
            modes.is_on("readOnlyMany") or modes.is_on("readWriteMany")
        ):
            message = "false, and no other mode is true: nobody could mount it; allow one mode"
            yield modes.issue("readWriteOnce", message, terms.inferred)


def ephemeral_claims(spec: View, terms: Terms) -> Iterator[Issue]:
    """A claim that goes with a suspend takes the checkpoints along."""
    for pvc in standing(spec, "storage.pvc[]") if terms.is_client else ():
        if pvc.is_on("ephemeral"):
            message = "true deletes the volume whenever the training is suspended"
            yield pvc.warning(
                "ephemeral",
                f"{message}, so it resumes without its checkpoints: keep them elsewhere",
            )


def host_path_read_only(spec: View, terms: Terms) -> Iterator[Issue]:
    """The contract contradicts itself about the default, so we always send it."""
    for item in standing(spec, "storage.hostPath[]") if terms.is_client else ():
        if not item.has("readOnly"):
            message = "is left out and sent as true: write false for a directory to write to"
            yield item.warning("readOnly", message)


def mount_propagation(spec: View, terms: Terms) -> Iterator[Issue]:
    """All host paths of one spec propagate mounts alike; left out counts as None."""
    first: str | None = None
    for item in standing(spec, "storage.hostPath[]"):
        word = item.text("mountPropagation") or "None"
        if first is None:
            first = word
        elif word != first:
            message = (
                f"{shown(word)} differs from {shown(first)} of an earlier host path: use one word"
            )
            is_stated = item.has("mountPropagation")
            yield (
                item.error("mountPropagation", message)
                if is_stated
                else item.issue("mountPropagation", message, terms.inferred)
            )


def keys_need_secrets(spec: View, terms: Terms) -> Iterator[Issue]:
    """The key of a Secret says nothing without the Secret."""
    for place, secret, keys in _COUNTS_WITH if terms.is_client else ():
        for item in standing(spec, place):
            for key in keys:
                if item.has(key) and not item.has(secret):
                    message = f"has no effect without {secret}: give both, or neither"
                    yield item.warning(key, message)


def shared_volumes(spec: View, terms: Terms) -> Iterator[Issue]:
    """What every trial may write to, one trial can spoil for another."""
    if not terms.is_client:
        return
    for pvc in standing(spec, "storage.pvc[]"):
        if pvc.text("claimName") and not pvc.is_on("readOnly"):
            yield _shared(pvc, "claimName", "one claim")
    for place, what in (("storage.hostPath[]", "directory"), ("storage.nfs[]", "export")):
        for item in standing(spec, place):
            if item.text("path") and item.is_off("readOnly"):
                yield _shared(item, "path", f"one {what}")


def _shared(item: View, key: str, what: str) -> Issue:
    value = item.members[key]
    message = f"{shown(value)}: all trials write to {what}; keep each one's files apart"
    return item.warning(key, message, shared=True)


RULES: tuple[Rule, ...] = (
    existing_claims,
    new_claims,
    access_modes,
    ephemeral_claims,
    host_path_read_only,
    mount_propagation,
    keys_need_secrets,
    shared_volumes,
)
