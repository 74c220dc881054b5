"""Amounts as Kubernetes writes them: 512Mi, 10G, 1.5, 1e9."""

import re
from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType

SUFFIXES: Mapping[str, Fraction] = MappingProxyType(
    {
        "n": Fraction(1, 10**9),
        "u": Fraction(1, 10**6),
        "m": Fraction(1, 10**3),
        "": Fraction(1),
        "k": Fraction(10**3),
        "M": Fraction(10**6),
        "G": Fraction(10**9),
        "T": Fraction(10**12),
        "P": Fraction(10**15),
        "E": Fraction(10**18),
        "Ki": Fraction(2**10),
        "Mi": Fraction(2**20),
        "Gi": Fraction(2**30),
        "Ti": Fraction(2**40),
        "Pi": Fraction(2**50),
        "Ei": Fraction(2**60),
    }
)
"""What each suffix multiplies by."""

_AMOUNT = re.compile(
    r"(?P<sign>[+-]?)(?P<digits>[0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})"
    r"(?:[eE](?P<exponent>[+-]?[0-9]{1,2})|(?P<suffix>[numkMGTPE]|[KMGTPE]i)?)"
)
_CAP = Fraction(2**63)


def read_amount(text: str) -> Fraction | None:
    """Return the exact value of a Kubernetes quantity of either sign, None when it is none."""
    match = _AMOUNT.fullmatch(text)
    if match is None:
        return None
    value = Fraction(match["digits"].rstrip("."))
    if match["exponent"] is not None:
        value *= Fraction(10) ** int(match["exponent"])
    else:
        value *= SUFFIXES[match["suffix"] or ""]
    if value >= _CAP:
        return None
    return -value if match["sign"] == "-" else value


def parse_amount(text: str) -> Fraction:
    """Return the exact value of an amount above 0, such as 10Gi.

    Raises:
        ValueError: it is no amount, carries a sign, or is 0; the message says what to write.
    """
    value = read_amount(text)
    if value is None or text[0] in "+-":
        raise ValueError(f"{_shown(text)} is no amount: {_remedy(text)}")
    if value <= 0:
        raise ValueError(f"{_shown(text)} is not above 0: leave the field out to ask for nothing")
    return value


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…")


def _remedy(text: str) -> str:
    """Guess what was meant, for the units that people write most often."""
    meant = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgtpe])(i?)b?", text.strip(), re.IGNORECASE)
    if meant is None:
        return "write a number above 0 and a unit such as Gi, Mi, G or M, as in 10Gi"
    number, letter, binary = meant.groups()
    unit = letter.upper() + "i" if binary else letter.upper().replace("K", "k")
    return f"write {number}{unit}"
