"""From good inputs to hostile ones, the same for the same seed."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final

from tests.fuzz.corpus import TOKENS

MAX_BYTES: Final = 64 * 1024
LENGTHS: Final = (2, 3, 7, 63, 64, 65, 66, 200, 300, 3000)
"""How often a piece is repeated: around the limits, and far past them."""


def hostile_input(corpus: Sequence[bytes], *, seed: int, name: str, index: int) -> bytes:
    """Return input `index` of a run: always the same bytes, so that one line of a report is enough to see it again."""
    random = Random(f"{seed}:{name}:{index}")
    data = random.choice(corpus) if random.random() < 0.95 else random.randbytes(random.randrange(64))
    for _ in range(random.choice((1, 1, 2, 3, 5))):
        data = _mutate(data, corpus, random)
    return data[:MAX_BYTES]


def _mutate(data: bytes, corpus: Sequence[bytes], random: Random) -> bytes:
    start = random.randrange(len(data) + 1)
    end = min(len(data), start + random.choice((0, 1, 1, 2, 4, 16, 64)))
    match random.randrange(9):
        case 0:  # Another byte.
            return data[:start] + random.randbytes(1) + data[start + 1 :]
        case 1:  # One bit.
            if start == len(data):
                return data
            return data[:start] + bytes([data[start] ^ (1 << random.randrange(8))]) + data[start + 1 :]
        case 2:  # A piece less.
            return data[:start] + data[end:]
        case 3:  # A piece twice.
            return data[:end] + data[start:]
        case 4:  # A piece from elsewhere.
            other = random.choice(corpus)
            cut = random.randrange(len(other) + 1)
            return data[:start] + other[cut : cut + 40] + data[end:]
        case 5:  # A piece very often.
            return data[:start] + random.choice(TOKENS) * random.choice(LENGTHS) + data[end:]
        case 6:  # The end is missing.
            return data[:start]
        case 7:  # Another message behind it.
            return data + random.choice((b"", b"\n", b",")) + random.choice(corpus)
        case _:  # A piece that has spoilt parsers before.
            return data[:start] + random.choice(TOKENS) + data[end:]
