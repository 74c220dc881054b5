"""The contract's kinds of scalar values, and the base of all models that are sent.

JSON types are taken strictly: "1" is no integer, 1.0 is none either, true is no number, 1 is no
text. Patterns match the whole text. Formats that the contract only names (uuid, hostname) are
held too.
"""

import math
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

AMOUNT_PATTERN = r"^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
PROBE_PATH_PATTERN = r"^(\x2F[a-zA-Z0-9\-_.\x2F]*)?$"

# The same texts as AMOUNT_PATTERN's, but never going back over a long one digit by digit.
_AMOUNT = re.compile(r"[+-]?[0-9.]++[eEinumkKMGTP]*+[-+]?[0-9]*+")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_HOST_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


class SentModel(BaseModel):
    """An object that a create may hold, exactly as the contract has it.

    Read from JSON by the contract's names alone; attributes are the same names in snake case. An
    attribute that was not given holds the contract's default (None where it has none), yet
    `given()` returns only what was given, so a default is never written back.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )

    def given(self) -> dict[str, object]:
        """Return the JSON object that this was read from: names, nulls and all."""
        return self.model_dump(by_alias=True, exclude_unset=True)


def is_uuid(text: str) -> bool:
    """Return whether `text` is a UUID in its usual form of 36 characters."""
    return _UUID.fullmatch(text) is not None


def is_host_name(text: str) -> bool:
    """Return whether `text` is a host name after RFC 1123 (a dotted IPv4 address is one)."""
    return len(text) <= 253 and all(_HOST_LABEL.fullmatch(label) for label in text.split("."))


def is_amount(text: str) -> bool:
    """Return whether `text` passes the contract's loose pattern for amounts."""
    return _AMOUNT.fullmatch(text) is not None


def _uuid(text: str) -> str:
    if not is_uuid(text):
        raise PydanticCustomError(
            "uuid", "is no UUID, such as 123e4567-e89b-12d3-a456-426614174000"
        )
    return text


def _host_name(text: str) -> str:
    if not is_host_name(text):
        raise PydanticCustomError("hostname", "is no host name, such as trainer.example.com")
    return text


def _number_from_zero(value: object) -> int | float:
    # A union of int and float would do, were it not to name both in the path of every error.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number_type", "must be a number")
    try:
        finite = math.isfinite(value)
    except OverflowError:
        finite = False
    if not finite:
        raise PydanticCustomError("number_range", "must be a number that a double can hold")
    if value < 0:
        raise PydanticCustomError("number_range", "must be at least 0")
    return value


Text1 = Annotated[str, Field(min_length=1)]
"""Text with content."""

Text63 = Annotated[str, Field(min_length=1, max_length=63)]
"""Text of 1 to 63 characters."""

Int32 = Annotated[int, Field(ge=-(2**31), le=2**31 - 1, json_schema_extra={"format": "int32"})]
Int64 = Annotated[int, Field(ge=-(2**63), le=2**63 - 1, json_schema_extra={"format": "int64"})]
Natural32 = Annotated[int, Field(ge=0, le=2**31 - 1, json_schema_extra={"format": "int32"})]
Natural64 = Annotated[int, Field(ge=0, le=2**63 - 1, json_schema_extra={"format": "int64"})]
Positive32 = Annotated[int, Field(ge=1, le=2**31 - 1, json_schema_extra={"format": "int32"})]
Positive = Annotated[int, Field(ge=1)]
PortNumber = Annotated[int, Field(ge=1, le=65535, json_schema_extra={"format": "int32"})]

Number = Annotated[
    int | float,
    PlainValidator(_number_from_zero),
    WithJsonSchema({"type": "number", "format": "double", "minimum": 0}),
]
"""A finite number of at least 0, kept as it was written (1 stays 1, not 1.0)."""

Amount = Annotated[str, Field(pattern=AMOUNT_PATTERN)]
"""An amount as Kubernetes writes it, such as 10Gi; the contract's pattern lets much else through.

`sweeper.wire.amounts` reads it.
"""

ProbePath = Annotated[str, Field(pattern=PROBE_PATH_PATTERN)]
"""Empty, or a path from / on of letters, digits and - _ . / alone."""

Uuid = Annotated[str, AfterValidator(_uuid), Field(json_schema_extra={"format": "uuid"})]
HostName = Annotated[
    str, AfterValidator(_host_name), Field(json_schema_extra={"format": "hostname"})
]
