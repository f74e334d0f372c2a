"""How much of the interpreter a call takes, counted."""

from __future__ import annotations

import sys
from types import FrameType, TracebackType
from typing import Any, Self


class BytecodeCounter:
    """Count the instructions and the Python functions of this thread while it is entered.

    The counts are the same on every machine and at every load, for one version of Python; times are neither. Counting
    itself makes everything many times slower.
    """

    def __init__(self) -> None:
        self.instructions = 0
        self.functions = 0

    def __enter__(self) -> Self:
        sys.settrace(self._entered)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.settrace(None)

    def _entered(self, frame: FrameType, event: str, argument: object) -> Any:
        self.functions += 1
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        return self._stepped

    def _stepped(self, frame: FrameType, event: str, argument: object) -> Any:
        self.instructions += event == "opcode"
        return self._stepped
