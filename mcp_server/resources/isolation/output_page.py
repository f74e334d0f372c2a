"""A part of what a long-running process wrote."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from mcp_server.resources.isolation.process_state import ProcessState

STREAMS: Final = ("stdout", "stderr")

PAGE_BYTES: Final = 1 << 16
"""How much is read at once unless the caller says otherwise."""

MAX_PAGE_BYTES: Final = 1 << 18
"""The most that is read at once: many clients refuse or cut a longer result."""

MIN_PAGE_BYTES: Final = 4
"""The least: the longest character of UTF-8, which is never cut."""

MAX_WAIT_SECONDS: Final = 30.0
"""The longest wait for output: clients give up on a call that says nothing after a minute."""


@dataclass(frozen=True, slots=True)
class OutputPage:
    """A run of text from one of its streams; `next_offset` is where the next page begins.

    Args:
        text: What it wrote; what is no UTF-8 became U+FFFD.
        offset: Where the text begins, in bytes from the beginning of the stream.
        next_offset: Where it ends.
        seen_bytes: How much was written in all, until now.
        dropped_bytes: How much of what was asked for is not kept any more: it lies before `offset`.
        process: What became of the process.
    """

    text: str
    offset: int
    next_offset: int
    seen_bytes: int
    dropped_bytes: int
    process: ProcessState
