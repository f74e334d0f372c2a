"""Where the time goes, without slowing it down."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Self


class StepSampler:
    """Look at the running code at every tick of the process' CPU clock, and count in which step it is.

    A tracing profiler makes small functions look large; this one asks a few hundred times a second and is noticed by
    nobody. The interpreter answers after the current C function, to whose caller its time is so ascribed.

    Args:
        step_of: Says which step `file:function` belongs to; the innermost frame that it knows counts.
        interval_seconds: CPU seconds between two looks; the kernel's tick is the least.
    """

    def __init__(self, step_of: Callable[[str], str | None], *, interval_seconds: float = 0.001) -> None:
        self._step_of = step_of
        self._interval = interval_seconds
        self._known: dict[tuple[str, str], str | None] = {}
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> Self:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, self._interval, self._interval)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)

    def _look(self, number: int, frame: FrameType | None) -> None:
        while frame is not None:
            code = frame.f_code
            key = (code.co_filename, code.co_name)
            if key not in self._known:
                self._known[key] = self._step_of(f"{code.co_filename}:{code.co_name}")
            step = self._known[key]
            if step is not None:
                self.counts[step] += 1
                return
            frame = frame.f_back
        self.counts["elsewhere"] += 1
