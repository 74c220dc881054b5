"""A shuffled order of any number of things that holds none of them in memory.

A Feistel network over the smallest even number of bits that can hold every index, walked until
it lands inside the range: Black and Rogaway, "Ciphers with Arbitrary Finite Domains" (CT-RSA
2002), the generalised Feistel cipher with cycle walking.
"""

import hashlib
from dataclasses import dataclass

_ROUNDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Permutation:
    """One order of `range(size)`, settled by `seed` and `size` alone."""

    seed: int
    size: int

    def at(self, index: int) -> int:
        """Return which of `range(size)` stands at `index`; O(1), four steps on average."""
        half = max((self.size - 1).bit_length() + 1, 2) // 2
        place = index
        while True:
            place = self._step(place, half)
            if place < self.size:
                return place

    def _step(self, place: int, half: int) -> int:
        mask = (1 << half) - 1
        left, right = place >> half, place & mask
        for turn in range(_ROUNDS):
            left, right = right, left ^ (self._mix(turn, right, half) & mask)
        return left << half | right

    def _mix(self, turn: int, value: int, bits: int) -> int:
        length = (bits + 7) // 8
        # Hexadecimal, for Python refuses to write very long numbers as decimals.
        text = f"{self.seed:x} {self.size:x} {turn} {value:x}"
        return int.from_bytes(hashlib.shake_256(text.encode()).digest(length), "big")
