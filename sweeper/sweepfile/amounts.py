"""Numbers as a sweep file writes them: `"1"` is none, and neither is `true`."""

from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from sweeper.wire.rules.view import shown


def complaint(message: str) -> PydanticCustomError:
    """Return an error whose text is a whole message of ours."""
    return PydanticCustomError("sweeper", "{said}", {"said": message})


def whole(value: Any) -> Any:
    """Read 1e3 and 5.0 as the whole numbers they are; W&B does so, too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        raise complaint(f"{shown(value)} is text: write a number, without quotes")
    raise complaint(f"{shown(value)} is no number")


def _above_zero(value: int | float) -> int | float:
    if value > 0:
        return value
    raise complaint(f"{shown(value)} is not above 0: write a larger number")


def _not_negative(value: int | float) -> int | float:
    if value >= 0:
        return value
    raise complaint(f"{shown(value)} is negative: write 0 or more")


Whole: TypeAlias = Annotated[int, BeforeValidator(whole)]
"""A whole number of any size."""

# The bounds stand before the validator, so that they apply to the int and reach the schema.
PositiveWhole: TypeAlias = Annotated[int, Field(ge=1), BeforeValidator(whole)]
"""A whole number from 1, of any size."""

Count: TypeAlias = Annotated[int, Field(ge=1, le=10**9), BeforeValidator(whole)]
"""A whole number from 1 to what any store can count."""

CountFromZero: TypeAlias = Annotated[int, Field(ge=0, le=10**9), BeforeValidator(whole)]
"""A whole number from 0 to what any store can count."""

Seed: TypeAlias = Annotated[int, Field(ge=0, le=2**63 - 1), BeforeValidator(whole)]
"""A whole number of 63 bits."""

ExitCode: TypeAlias = Annotated[int, Field(ge=0, le=255), BeforeValidator(whole)]
"""What a process may end with."""

Number: TypeAlias = Annotated[Any, AfterValidator(_number), WithJsonSchema({"type": "number"})]
"""An int or a float, kept as which it is written."""

PositiveNumber: TypeAlias = Annotated[
    Any,
    AfterValidator(_number),
    AfterValidator(_above_zero),
    WithJsonSchema({"type": "number", "exclusiveMinimum": 0}),
]
"""A number above 0."""

NonNegativeNumber: TypeAlias = Annotated[
    Any,
    AfterValidator(_number),
    AfterValidator(_not_negative),
    WithJsonSchema({"type": "number", "minimum": 0}),
]
"""A number from 0."""
