"""Whether messages are signed."""

from __future__ import annotations

from enum import StrEnum


class SignatureMode(StrEnum):
    """What a listener does about signatures over messages.

    >>> SignatureMode("require").is_on
    True
    """

    OFF = "off"
    """Signatures are neither looked at nor made."""
    ACCEPT = "accept"
    """A signature that is there is verified; a message without one is none the worse. For the time of changing over."""
    REQUIRE = "require"
    """A message without a signature is refused like one with a wrong one; answers are signed."""

    @property
    def is_on(self) -> bool:
        """Whether signatures are looked at."""
        return self is not SignatureMode.OFF
