"""Rules about GPUs, cores and memory."""

from collections.abc import Iterator
from fractions import Fraction

from sweeper.wire.amounts import parse_amount, read_amount
from sweeper.wire.compute import GpuRequestType
from sweeper.wire.issues import Issue, Severity
from sweeper.wire.rules.view import Rule, Terms, View, shown, standing
from sweeper.wire.scalars import is_amount
from sweeper.wire.versions import MIG_PROFILE_GONE, written

_SHARE_FIELDS: dict[GpuRequestType, str] = {
    "portion": "gpuPortionRequest",
    "memory": "gpuMemoryRequest",
    "migProfile": "migProfile",
}
_AMOUNTS = (
    ("compute", ("gpuMemoryRequest", "gpuMemoryLimit", "cpuMemoryRequest", "cpuMemoryLimit")),
    ("storage.pvc[].claimInfo", ("size",)),
)


def gpu_share_fits_type(spec: View, terms: Terms) -> Iterator[Issue]:
    """The field that gpuRequestType names is given, and no other one of its kind."""
    for compute in standing(spec, "compute"):
        kind = compute.text("gpuRequestType")
        if compute.has("gpuRequestType") and kind not in _SHARE_FIELDS:
            continue
        for word, key in _SHARE_FIELDS.items():
            if word == kind and not compute.has(key):
                yield compute.error(key, f"is missing: gpuRequestType {word} needs it")
            if word != kind and compute.has(key):
                have = f"it is {kind}" if kind else "it is not given"
                message = f"is for gpuRequestType {word} only, and {have}: drop one or the other"
                severity = terms.inferred if word == "migProfile" else None
                yield (
                    compute.issue(key, message, severity)
                    if severity
                    else compute.error(key, message)
                )


def gpu_portion_range(spec: View, terms: Terms) -> Iterator[Issue]:
    """A portion is above 0 and at most 1; a control plane lets 0 pass."""
    for compute in standing(spec, "compute"):
        portion = compute.number("gpuPortionRequest")
        if portion is not None and portion > 1:
            message = f"{shown(portion)} is above 1: it is the share of each device"
            yield compute.error("gpuPortionRequest", f"{message}, for more ask for devices")
        if portion == 0 and terms.is_client:
            message = "0 asks for no share at all: give a number above 0, or no GPU fields"
            yield compute.error("gpuPortionRequest", message)


def gpu_devices(spec: View, terms: Terms) -> Iterator[Issue]:
    """Of several devices only whole ones or portions can be had."""
    for compute in standing(spec, "compute"):
        devices = compute.whole("gpuDevicesRequest")
        if devices is None or devices <= 1:
            continue
        if compute.text("gpuRequestType") in {"memory", "migProfile"}:
            message = "works with 1 device only: ask for portion, or for 1 device"
            yield compute.error("gpuRequestType", message)
        for key in ("gpuMemoryRequest", "gpuMemoryLimit", "migProfile"):
            if compute.has(key):
                message = f"works with 1 device only, not {shown(devices)}: drop it, or ask for 1"
                yield compute.error(key, message)
        portion = compute.number("gpuPortionRequest")
        if terms.is_client and portion is not None and 0 < portion < 1:
            message = f"{shown(portion)} of each of {shown(devices)} devices: the API's own texts"
            yield compute.warning(
                "gpuPortionRequest", f"{message} disagree on whether this works; 1 device is safe"
            )


def gpu_device_count(spec: View, terms: Terms) -> Iterator[Issue]:
    """A share is of some device."""
    if not terms.is_client:
        return
    for compute in standing(spec, "compute"):
        if not compute.has("gpuRequestType"):
            continue
        if not compute.has("gpuDevicesRequest"):
            message = "is missing and counts as 1, since gpuRequestType asks for a share: give it"
            yield compute.warning("gpuDevicesRequest", message)
        if compute.whole("gpuDevicesRequest") == 0:
            message = "0 asks for no device, although gpuRequestType asks for a share: give 1"
            yield compute.warning("gpuDevicesRequest", message)


def mig_is_old(spec: View, terms: Terms) -> Iterator[Issue]:
    """MIG profiles are on their way out."""
    for compute in standing(spec, "compute") if terms.is_client else ():
        if compute.has("migProfile"):
            gone = (
                "gone since" if terms.api_version >= MIG_PROFILE_GONE else "deprecated and gone in"
            )
            message = f"is {gone} API {written(MIG_PROFILE_GONE)}: ask for portion or memory"
            yield compute.warning("migProfile", message)


def limits_hold_requests(spec: View, terms: Terms) -> Iterator[Issue]:
    """No limit lies below its request."""
    for compute in standing(spec, "compute"):
        for what, stated in (
            ("gpuPortion", True),
            ("gpuMemory", True),
            ("cpuCore", False),
            ("cpuMemory", False),
        ):
            key, request_key = f"{what}Limit", f"{what}Request"
            limit, request = _size(compute, key), _size(compute, request_key)
            if limit is not None and request is not None and limit < request:
                value, other = compute.members[key], compute.members[request_key]
                message = f"{shown(value)} is below {request_key} {shown(other)}: raise it"
                yield (
                    compute.error(key, message)
                    if stated
                    else compute.issue(key, message, terms.inferred)
                )


def gpu_limits_need_requests(spec: View, terms: Terms) -> Iterator[Issue]:
    """A limit on GPU shares limits what was requested."""
    for compute in standing(spec, "compute"):
        for what in ("gpuPortion", "gpuMemory"):
            if compute.has(f"{what}Limit") and not compute.has(f"{what}Request"):
                message = f"limits nothing without {what}Request: give both, or neither"
                yield compute.issue(f"{what}Limit", message, terms.inferred)


def amounts_are_readable(spec: View, terms: Terms) -> Iterator[Issue]:
    """Amounts that pass the contract's loose pattern are amounts indeed."""
    is_held = terms.is_client or terms.hold_amounts
    severity = Severity.ERROR if is_held else Severity.WARNING
    for place, keys in _AMOUNTS:
        for view in standing(spec, place):
            for key in keys:
                text = view.text(key)
                if text is not None and is_amount(text):
                    fault = _amount_fault(text, terms)
                    if fault:
                        yield view.issue(key, fault, severity)


def extended_quantities(spec: View, terms: Terms) -> Iterator[Issue]:
    """A quantity of an extended resource is a number."""
    for item in standing(spec, "compute.extendedResources[]") if terms.is_client else ():
        quantity = item.text("quantity")
        if quantity and read_amount(quantity) is None:
            message = f"{shown(quantity)} is no amount that Kubernetes reads: write a number"
            yield item.warning("quantity", message)


def _amount_fault(text: str, terms: Terms) -> str:
    try:
        parse_amount(text)
    except ValueError as error:
        if terms.is_client or read_amount(text) is None:
            return str(error)
    return ""


def _size(view: View, key: str) -> Fraction | int | float | None:
    if "Memory" not in key:
        return view.number(key)
    text = view.text(key)
    return None if text is None else read_amount(text)


RULES: tuple[Rule, ...] = (
    gpu_share_fits_type,
    gpu_portion_range,
    gpu_devices,
    gpu_device_count,
    mig_is_old,
    limits_hold_requests,
    gpu_limits_need_requests,
    amounts_are_readable,
    extended_quantities,
)
