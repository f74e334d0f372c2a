"""How large, deep and many a message may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIBIBYTES: Final = 1024
MEBIBYTES: Final = 1024 * KIBIBYTES

PARSER_DEPTH: Final = 128
"""No configuration goes deeper: the parser gives up at 200 levels, and walks over a value recurse once a level."""


@dataclass(frozen=True, slots=True)
class MessageLimits:
    """The bounds every message from outside is held to, before anything is built from it.

    Args:
        max_message_bytes: Longest message in bytes; 4 MiB is also the default of the official Python SDK.
        max_depth: Deepest nesting of arrays and objects. Tool arguments rarely pass ten.
        max_members: Most array elements and object members of a whole message: what bounds memory, for a value of
            two bytes on the wire costs up to a hundred when parsed.
        max_batch: Most messages in a batch (2025-03-26 only).
        max_id_length: Longest textual request id in characters; ids are echoed, logged and kept while in flight.
        max_method_length: Longest method name in characters.
        max_integer_bits: Widest integer in bits. 64 is what other languages hold without silently rounding; larger
            numbers travel as text.

    Raises:
        ValueError: A bound is not positive, or `max_depth` passes what can be parsed safely.

    >>> MessageLimits().max_message_bytes
    4194304
    >>> MessageLimits(max_depth=1000)
    Traceback (most recent call last):
    ...
    ValueError: max_depth must be 1 to 128
    """

    max_message_bytes: int = 4 * MEBIBYTES
    max_depth: int = 64
    max_members: int = 100_000
    max_batch: int = 100
    max_id_length: int = 256
    max_method_length: int = 256
    max_integer_bits: int = 64

    def __post_init__(self) -> None:
        """Refuse bounds that bound nothing."""
        if not 1 <= self.max_depth <= PARSER_DEPTH:
            raise ValueError(f"max_depth must be 1 to {PARSER_DEPTH}")
        for name in self.__slots__:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be positive")
