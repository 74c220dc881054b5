"""Rules about users and powers.

What gives a training power over its node is refused by who sends, unless that was allowed: a
sweep file from elsewhere must not get it unnoticed.
"""

from collections.abc import Iterator

from sweeper.wire.issues import Issue
from sweeper.wire.rules.view import Rule, Terms, View, shown, standing

_PRIVILEGED = "is privileged: allow it with --allow-privileged-spec, or drop it"
_POWERS = {
    "allowPrivilegeEscalation": "lets processes gain powers",
    "hostIpc": "shares the node's inter-process communication",
    "hostNetwork": "shares the node's network",
}
_IDS = ("runAsUid", "runAsGid")


def host_paths_are_allowed(spec: View, terms: Terms) -> Iterator[Issue]:
    """The node's own files are mounted on purpose."""
    if _refuses_powers(terms):
        for item in standing(spec, "storage.hostPath[]"):
            yield item.error("path", f"mounts a directory of the node, which {_PRIVILEGED}")


def powers_are_allowed(spec: View, terms: Terms) -> Iterator[Issue]:
    """Power over the node is asked for on purpose."""
    for security in standing(spec, "security") if _refuses_powers(terms) else ():
        for key, power in _POWERS.items():
            if security.is_on(key):
                yield security.error(key, f"true {power}, which {_PRIVILEGED}")
        if security.text("seccompProfileType") == "Unconfined":
            message = f"Unconfined filters no system calls, which {_PRIVILEGED}"
            yield security.error("seccompProfileType", message)
        if security.members.get("capabilities"):
            yield security.error("capabilities", f"adds powers to a container, which {_PRIVILEGED}")


def root_is_allowed(spec: View, terms: Terms) -> Iterator[Issue]:
    """Root is taken on purpose."""
    for security in standing(spec, "security") if _refuses_powers(terms) else ():
        for key in _IDS:
            if security.whole(key) == 0:
                yield security.error(key, f"0 is root, which {_PRIVILEGED}")
        if any(group.strip("0") == "" for group in _groups(security) if group):
            yield security.error("supplementalGroups", f"0 is root's group, which {_PRIVILEGED}")


def seccomp_is_supported(spec: View, terms: Terms) -> Iterator[Issue]:
    """One word of the enum is not supported yet, says its own text."""
    for security in standing(spec, "security"):
        if security.text("seccompProfileType") == "Localhost":
            message = "Localhost is not supported by Run:ai yet: write RuntimeDefault"
            yield security.issue("seccompProfileType", message, terms.inferred)


def ids_make_sense(spec: View, terms: Terms) -> Iterator[Issue]:
    """Ids are not negative, and groups are ids with commas between."""
    for security in standing(spec, "security"):
        for key in _IDS:
            value = security.whole(key)
            if value is not None and value < 0:
                message = f"{shown(value)} is below 0: give an id, or leave it out"
                yield security.issue(key, message, terms.inferred)
        if not all(group.isascii() and group.isdigit() for group in _groups(security)):
            text = security.text("supplementalGroups")
            message = f"{shown(text)} is no list of ids with commas between, such as 100,2000"
            yield security.issue("supplementalGroups", message, terms.inferred)


def root_is_refused(spec: View, terms: Terms) -> Iterator[Issue]:
    """A container that must not be root's has another user."""
    for security in standing(spec, "security"):
        if security.is_on("runAsNonRoot") and security.whole("runAsUid") == 0:
            message = "0 is root, and runAsNonRoot is true: give another id, or drop one of them"
            yield security.issue("runAsUid", message, terms.inferred)


def ids_have_a_source(spec: View, terms: Terms) -> Iterator[Issue]:
    """Ids count only where they do not come from the image."""
    for security in standing(spec, "security") if terms.is_client else ():
        if security.text("uidGidSource") in {"custom", "fromIdpToken"}:
            continue
        for key in (*_IDS, "supplementalGroups"):
            if security.has(key):
                message = "may have no effect while uidGidSource is not custom: set it to custom"
                yield security.warning(key, message)


def _refuses_powers(terms: Terms) -> bool:
    return terms.is_client and not terms.allow_privileged


def _groups(security: View) -> list[str]:
    """Return the supplemental groups; the empty text stands for the image's own."""
    text = security.text("supplementalGroups")
    return [group.strip() for group in text.split(",")] if text else []


RULES: tuple[Rule, ...] = (
    host_paths_are_allowed,
    root_is_allowed,
    powers_are_allowed,
    seccomp_is_supported,
    ids_make_sense,
    root_is_refused,
    ids_have_a_source,
)
