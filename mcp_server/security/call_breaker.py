"""What notices a client that makes the same call over and over."""

from __future__ import annotations

from typing import Final

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.security.operation import Operation

WINDOW_SECONDS: Final = 60.0
MAX_REMEMBERED: Final = 256
"""Different calls remembered of a client; who makes more than these in turns is no loop, and has its calls a minute."""


class CallBreaker:
    """Counts identical calls of one client, and refuses one that is made too often for the rest of its minute.

    A model that does not get on repeats itself, thousands of times where nobody looks. The refusal tells it to stop, in
    words that it reads, while every other call of the client goes on.

    >>> breaker = CallBreaker()
    >>> breaker.count(7, now=0.0, most=1)
    >>> breaker.count(7, now=20.0, most=1)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    mcp_server.errors.limit_exceeded_error.LimitExceededError: this very call was made once already within a minute, ...
    >>> breaker.count(8, now=20.0, most=1)
    >>> breaker.count(7, now=60.0, most=1)
    """

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        # By call: how often, and since when. In the order in which their windows began.
        self._counts: dict[int, tuple[int, float]] = {}

    def count(self, call: int, *, now: float, most: int) -> None:
        """Count a call.

        Args:
            call: What is called and its arguments; see `identity_of`.
            now: Monotonic seconds.
            most: How often it may be made within a minute.

        Raises:
            LimitExceededError: `identical_calls`: it was made that often already.
        """
        counts = self._counts
        seen = counts.get(call)
        if seen is not None:
            times, since = seen
            if now - since < WINDOW_SECONDS:
                if times >= most:
                    raise _refusal(most, since + WINDOW_SECONDS - now)
                counts[call] = (times + 1, since)
                return
            del counts[call]
        elif len(counts) >= MAX_REMEMBERED:
            del counts[next(iter(counts))]
        counts[call] = (1, now)


def identity_of(operation: Operation, digest: bytes) -> int:
    """Return a hash of what is called and of all its arguments.

    Args:
        operation: What was planned.
        digest: Its arguments as they are on record, which tells any two apart unless a value was left out for its name.
    """
    if b'"omitted"' in digest:
        return hash((operation.kind, operation.name, digest, repr(operation.arguments)))
    return hash((operation.kind, operation.name, digest))


def _refusal(most: int, wait_seconds: float) -> LimitExceededError:
    often = "once" if most == 1 else f"{most} times"
    return LimitExceededError(
        "identical_calls",
        f"this very call was made {often} already within a minute, and repeating it will not change its answer: stop, "
        f"do something else or tell the user what does not work; it is refused for {wait_seconds:.0f} s",
        retry_after_seconds=wait_seconds,
    )
