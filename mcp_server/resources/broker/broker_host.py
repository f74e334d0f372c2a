"""Keeping one client's broker alive, within bounds."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from mcp_server.errors.mcp_server_error import MCPServerError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.broker.answers import value_of
from mcp_server.resources.broker.frame import Frame
from mcp_server.resources.broker.running_broker import RunningBroker

logger = logging.getLogger(__name__)

MAX_STARTS: Final = 5
"""Starts within `STARTS_SECONDS`; what dies that often dies of something that another start does not mend."""

STARTS_SECONDS: Final = 60.0
"""How long a start counts."""

MAX_LINGERING: Final = 3
"""Brokers that were killed and cannot end, because what they wait for does not answer; another would join them."""


class BrokerHost:
    """Asks a client's broker, and starts another one when it has died, was too slow, or said what no broker says.

    A question that it may have begun with is never asked twice: its caller is told that nobody knows.

    Args:
        start: Starts one, without waiting for it.
        on_end: Told why one has ended that nobody had wanted to end: `died`, `late`, `garbled`; from any thread.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        start: Callable[[], RunningBroker],
        on_end: Callable[[str], None] = lambda reason: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._start = start
        self._on_end = on_end
        self._clock = clock
        self._lock = threading.Lock()
        self._starts: deque[float] = deque(maxlen=MAX_STARTS)
        self._broker: RunningBroker | None = None
        self._given_up: list[RunningBroker] = []
        self._is_closed = False

    @property
    def pid(self) -> int | None:
        """The number of the process, None while there is none."""
        broker = self._broker
        return None if broker is None else broker.pid

    def warm_up(self) -> None:
        """Start the first one, so that it stands when somebody asks; waits for nothing.

        Raises:
            ResourceUnavailableError: The server is stopping.
        """
        self._current()

    def ask(self, head: Mapping[str, Any], *, body: bytes = b"") -> Any:
        """Ask one question, and return the value of its answer.

        Args:
            head: What is asked.
            body: Bytes.

        Raises:
            ResourceUnavailableError: There is no broker, or it ended before it answered.
            MCPServerError: What the broker refuses.
            OSError: What the kernel answered the broker.
        """
        value, _ = self._value(head, body, -1, 0)
        return value

    def ask_to_open(self, head: Mapping[str, Any], *, descriptor: int = -1) -> tuple[Any, int]:
        """Ask for something open, and return the value of the answer, and what was handed over or -1.

        Args:
            head: What is asked.
            descriptor: What is handed over with it, below zero for nothing.

        Raises:
            ResourceUnavailableError: There is no broker, or it ended before it answered.
            MCPServerError: What the broker refuses.
            OSError: What the kernel answered the broker.
        """
        return self._value(head, b"", descriptor, 1)

    def distrust(self, error: ValueError) -> ResourceUnavailableError:
        """End the broker, for it answered what cannot be; return what its caller is told."""
        broker = self._broker
        if broker is not None:
            self._give_up(broker, "garbled")
        unavailable = _unavailable()
        unavailable.__cause__ = error
        return unavailable

    def close(self) -> None:
        """Ask nothing more, and let the broker end when the last question is answered; may be called twice."""
        with self._lock:
            self._is_closed = True
            broker, self._broker = self._broker, None
        if broker is not None:
            broker.close()

    def _value(self, head: Mapping[str, Any], body: bytes, descriptor: int, most: int) -> tuple[Any, int]:
        broker, frame, number = self._answered(head, body, descriptor)
        try:
            value = value_of(frame, number=number, descriptors=most)
        except ValueError as error:
            frame.close()
            self._give_up(broker, "garbled")
            raise _unavailable() from error
        except BaseException:
            frame.close()
            raise
        return value, frame.descriptors[0] if frame.descriptors else -1

    def _answered(self, head: Mapping[str, Any], body: bytes, descriptor: int) -> tuple[RunningBroker, Frame, int]:
        is_second = False
        while True:
            broker = self._current()
            try:
                self._stand(broker)
                return broker, *broker.ask(head, body=body, descriptor=descriptor)
            except ConnectionError as error:
                # It had gone before it was asked, and so has done nothing of it; if somebody is ending it, he will.
                if not isinstance(error, ConnectionAbortedError):
                    self._give_up(broker, "died")
                self._forget(broker)
                if is_second:
                    raise _unavailable() from error
                is_second = True
            except TimeoutError as error:
                self._give_up(broker, "late")
                raise _unavailable() from error
            except (EOFError, OSError) as error:
                self._give_up(broker, "died")
                raise _unavailable() from error
            except ValueError as error:
                self._give_up(broker, "garbled")
                raise _unavailable() from error

    def _stand(self, broker: RunningBroker) -> None:
        try:
            broker.stand()
        except (MCPServerError, RuntimeError) as error:
            # It says itself why it cannot; its words may name what lies on the host.
            logger.error("a client's files cannot be kept by a broker: %s", error)  # noqa: TRY400 - says all
            self._give_up(broker, "died")
            raise _unavailable() from error

    def _current(self) -> RunningBroker:
        broker = self._broker
        if broker is not None:
            return broker
        with self._lock:
            if self._is_closed:
                raise ResourceUnavailableError("io", "the folders of this client are not what they were; call again")
            if self._broker is None:
                now = self._clock()
                self._given_up = [each for each in self._given_up if each.lingers]
                is_often = len(self._starts) == MAX_STARTS and now - self._starts[0] < STARTS_SECONDS
                if is_often or len(self._given_up) >= MAX_LINGERING:
                    raise ResourceUnavailableError(
                        "busy", "the files of this client cannot be had now; try again in a minute, or ask the operator"
                    )
                self._starts.append(now)
                self._broker = self._start()
            return self._broker

    def _forget(self, broker: RunningBroker) -> None:
        with self._lock:
            if self._broker is broker:
                self._broker = None

    def _give_up(self, broker: RunningBroker, reason: str) -> None:
        self._forget(broker)
        # Of several who find out, one ends it and tells; and who has closed it wants to hear of nothing.
        is_news = broker.end()
        if is_news and broker.lingers:
            with self._lock:
                self._given_up.append(broker)
        if is_news and not self._is_closed:
            logger.warning("a broker of a client's files has ended (%s); the next call starts another", reason)
            self._on_end(reason)


def _unavailable() -> ResourceUnavailableError:
    return ResourceUnavailableError(
        "io", "what keeps the files of this client has ended; look whether the change was made, and call again"
    )
