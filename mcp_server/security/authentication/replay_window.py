"""What was seen before."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final

MAX_PER_OWNER: Final = 20_000
"""Messages of one key in one window: three hundred a second for a minute."""
MAX_IN_ALL: Final = 100_000
"""About 10 MiB in each of the two halves."""

_DIGEST_BYTES: Final = 16


class ReplayWindow:
    """Admit each thing once, if it is fresh.

    1. What is older than the window, or from further ahead than clocks may differ, is refused. So is what was made
       before this window was: after a restart nothing is known of it, and nothing needs to be on a disk.
    2. What was admitted before is refused. It is remembered for longer than it stays fresh, in two halves of which the
       older is dropped whole, so that nothing has to be searched.
    3. When there is no room to remember it, it is refused; nothing is ever forgotten early. Each owner has a share, so
       that one does not use up the room of all.

    Args:
        seconds_back: How old a thing may be, in seconds.
        seconds_ahead: How far ahead its maker's clock may be, in seconds.
        clock: Seconds since 1970, never running backwards.
        max_per_owner: Things of one owner that one half remembers.
        max_in_all: Things that one half remembers.

    >>> window = ReplayWindow(seconds_back=60, seconds_ahead=10, clock=lambda: 100.0)
    >>> window.admit("key", "id-1", 100)
    >>> window.admit("key", "id-1", 100)
    Traceback (most recent call last):
    ValueError: seen before
    """

    def __init__(
        self,
        *,
        seconds_back: int,
        seconds_ahead: int,
        clock: Callable[[], float],
        max_per_owner: int = MAX_PER_OWNER,
        max_in_all: int = MAX_IN_ALL,
    ) -> None:
        self._back = seconds_back
        self._ahead = seconds_ahead
        self._clock = clock
        self._max_per_owner = max_per_owner
        self._max_in_all = max_in_all
        self._started = clock()
        # How long a thing can stay fresh after it was admitted.
        self._half_seconds = seconds_back + seconds_ahead
        self._half_began = self._started
        self._current: set[bytes] = set()
        self._previous: set[bytes] = set()
        self._counts: dict[str, int] = {}

    def check_time(self, made_at: int) -> None:
        """Return when a thing of this time could be admitted: cheap, and before anything is computed.

        Raises:
            ValueError: It is too old, from too far ahead, or from before the start.
        """
        now = self._clock()
        if made_at < now - self._back:
            raise ValueError("too old")
        if made_at > now + self._ahead:
            raise ValueError("made in the future")
        # Whole seconds on the wire: what was made in the second of the start may have been seen before it.
        if made_at < self._started:
            raise ValueError("made before the start")

    def admit(self, owner: str, identity: str, made_at: int) -> None:
        """Return when a thing was not seen before, and remember it.

        Args:
            owner: Whose it is: a key's id or thumbprint. It was verified.
            identity: Its own id, unique for the owner.
            made_at: When it was made, in seconds since 1970.

        Raises:
            ValueError: It is not fresh, was seen before, or cannot be remembered.
        """
        self.check_time(made_at)
        self._turn()
        digest = sha256(f"{len(owner)} {owner} {identity}".encode()).digest()[:_DIGEST_BYTES]
        if digest in self._current or digest in self._previous:
            raise ValueError("seen before")
        count = self._counts.get(owner, 0)
        if count >= self._max_per_owner or len(self._current) >= self._max_in_all:
            raise ValueError("too many to be remembered")
        self._counts[owner] = count + 1
        self._current.add(digest)

    def _turn(self) -> None:
        now = self._clock()
        if now < self._half_began + self._half_seconds:
            return
        is_recent = now < self._half_began + 2 * self._half_seconds
        self._previous = self._current if is_recent else set()
        self._current = set()
        self._counts = {}
        self._half_began = now
