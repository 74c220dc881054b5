"""Rules about labels and tolerations."""

from collections.abc import Iterator

from sweeper.wire.issues import Issue
from sweeper.wire.rules.view import Rule, Terms, TolerationReading, View, shown, standing

_MAX_LABEL = 63


def label_values(spec: View, terms: Terms) -> Iterator[Issue]:
    """Kubernetes takes label values of at most 63 characters; the contract sets no limit."""
    for label in standing(spec, "labels[]") if terms.is_client else ():
        value = label.text("value") or ""
        if len(value) > _MAX_LABEL:
            message = f"{shown(value)} has {len(value)} characters, and Kubernetes takes 63"
            yield label.error("value", f"{message}: shorten it, or make it an annotation")


def toleration_values(spec: View, terms: Terms) -> Iterator[Issue]:
    """One operator has a value and the other has none; which, depends on the reading."""
    reading = TolerationReading.KUBERNETES if terms.is_client else terms.tolerations
    if reading is TolerationReading.EITHER:
        return
    valued = "Equal" if reading is TolerationReading.KUBERNETES else "Exists"
    for toleration in standing(spec, "tolerations[]"):
        operator = toleration.text("operator")
        if operator not in {"Equal", "Exists"}:
            continue
        if operator == valued and not toleration.has("value"):
            yield toleration.error("value", f"is missing: the operator {operator} needs it")
        if operator != valued and toleration.has("value"):
            message = f"does not go with the operator {operator}: drop it, or write {valued}"
            yield toleration.error("value", message)


def toleration_seconds(spec: View, _terms: Terms) -> Iterator[Issue]:
    """Only what would drive a pod out is tolerated for a time."""
    for toleration in standing(spec, "tolerations[]"):
        effect = toleration.text("effect")
        if toleration.has("seconds") and effect != "NoExecute":
            have = f"it is {shown(effect)}" if effect else "it is not given"
            message = f"goes with the effect NoExecute only, and {have}: drop one or the other"
            yield toleration.error("seconds", message)


RULES: tuple[Rule, ...] = (label_values, toleration_values, toleration_seconds)
