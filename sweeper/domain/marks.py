"""What marks a training as one of ours, and a trial as the same one over all its attempts."""

from collections.abc import Mapping

from sweeper.domain.expansion import ordinal

SWEEP_NAME_ANNOTATION = "sweeper/sweep-name"
_OURS = "sweeper/"


def labels_of(sweep_id: str, number: int, attempt: int, digest: str) -> dict[str, str]:
    """Return the labels of one attempt's training, all fit for Kubernetes."""
    return {
        "sweeper/sweep": sweep_id,
        "sweeper/trial": ordinal(number),
        "sweeper/attempt": str(attempt),
        "sweeper/params": digest,
    }


def is_ours(
    name: str, labels: Mapping[str, str], seen_name: str, seen_labels: Mapping[str, str] | None
) -> bool:
    """Return whether a training seen is the one expected: its exact name and all our labels.

    A copy that someone made carries the labels but not the name; a stranger may have the name.
    """
    if seen_name != name or seen_labels is None:
        return False
    return all(seen_labels.get(key) == value for key, value in labels.items())


def shown_marks(labels: Mapping[str, str] | None) -> str:
    """Return those of the labels that are ours to set, in words."""
    ours = {key: value for key, value in (labels or {}).items() if key.startswith(_OURS)}
    return ", ".join(f"{key}={value}" for key, value in sorted(ours.items())) or "no labels of ours"


def checkpoint_key(slug: str, sweep_id: str, number: int) -> str:
    """Return a name for a trial's checkpoints: the same over all attempts, and no other's."""
    return f"{slug}-{sweep_id}-{ordinal(number)}"
