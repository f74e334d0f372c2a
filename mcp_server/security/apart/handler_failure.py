"""A bug of a handler that ran apart."""

from __future__ import annotations


class HandlerFailure(Exception):  # noqa: N818 - no error that a caller would see: it stands for one that stayed behind
    """Stands for the exception of a handler in another process, of which only a text came over.

    It is no `MCPServerError`: it is masked, and its caller gets an id, as with any other bug. The text goes to the log.

    Args:
        kind: The name of the exception's class, as the other process tells it.
        trace: Its stack, likewise; a stranger's words.

    >>> print(HandlerFailure("ZeroDivisionError", "line 3"))
    in a process of its own: ZeroDivisionError
    | line 3
    """

    def __init__(self, kind: str, trace: str = "") -> None:
        # One line each, and marked: nobody can pass for the server's own log.
        lines = "".join(f"\n| {line!r}"[:1000].replace("'", "") for line in trace.splitlines())
        super().__init__(f"in a process of its own: {kind}{lines}")
        self.kind = kind
