"""Keys that are fetched."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from mcp_server.security.authentication.key_sets.key_address import KeyAddress
from mcp_server.security.authentication.key_sets.key_set import KeySet

logger = logging.getLogger(__name__)

MINUTES: Final = 60
HOURS: Final = 60 * MINUTES

REFRESH_SECONDS: Final = 30 * MINUTES
"""How old keys become before they are fetched again: half of an hour, which is how long issuers publish a key ahead."""
RETRY_SECONDS: Final = 30
"""The least time between two fetches, whatever asks for one: an unknown key id costs whoever sends it nothing."""
MAX_STALE_SECONDS: Final = 24 * HOURS
"""How long keys are used that cannot be fetched again; by then one of them may have been stolen and taken back."""


class RemoteKeySource:
    """Know the keys that were last fetched, and when they are to be fetched again. It fetches nothing itself.

    1. Nobody waits for a fetch: until there are keys, tokens are refused.
    2. A key id that is not there asks for a fetch, at most one in half a minute, and is answered "no" meanwhile.
    3. A failed fetch keeps the keys, for a day at most, and is on record.
    4. A key that is gone from what was fetched is gone.

    Args:
        name: The issuer's name in the policy, for records.
        issuer: What the issuer calls itself, for its metadata.
        address: Where the keys are.
        clock: Seconds that only count.
        report: Puts changes and failures on record.

    Source: RFC 8725, section 3.10; RFC 8414, section 3.3.
    """

    def __init__(
        self,
        *,
        name: str,
        issuer: str,
        address: KeyAddress,
        clock: Callable[[], float],
        report: Callable[[str, Mapping[str, Any]], object],
    ) -> None:
        self.name = name
        self.issuer = issuer
        self.address = address
        self._clock = clock
        self._report = report
        self._keys: KeySet | None = None
        self._fetched_at = -math.inf
        self._tried_at = -math.inf
        self._is_wanted = True
        self._has_news = False
        self._has_failed = False

    def keys(self) -> KeySet:
        """Return the keys that were last fetched.

        Raises:
            LookupError: None were, or too long ago.
        """
        if self._keys is None:
            raise LookupError("the issuer's keys have not been fetched yet")
        if self._clock() - self._fetched_at > MAX_STALE_SECONDS:
            raise LookupError("the issuer's keys are too old")
        return self._keys

    def missed(self) -> None:
        """Hear that a token named a key that is not there; a fetch is wanted, in its time."""
        self._is_wanted = True

    def has_changed(self) -> bool:
        """Return whether other keys are in force than at the last call."""
        has_news, self._has_news = self._has_news, False
        if self._keys is not None and self._clock() - self._fetched_at > MAX_STALE_SECONDS:
            # What was verified by them is to be judged anew.
            self._keys = None
            return True
        return has_news

    @property
    def is_due(self) -> bool:
        """Whether the keys are to be fetched now."""
        now = self._clock()
        if now - self._tried_at < RETRY_SECONDS:
            return False
        return self._is_wanted or self._has_failed or now - self._fetched_at >= REFRESH_SECONDS

    def begin(self) -> None:
        """Take note that a fetch begins."""
        self._tried_at = self._clock()
        self._is_wanted = False

    def take(self, data: bytes) -> None:
        """Put the keys of a fetched document in force.

        Raises:
            ValueError: It is no key set that can be used; the keys stay what they were.
        """
        keys = KeySet.parse(data)
        self._fetched_at = self._clock()
        self._has_failed = False
        if keys != self._keys:
            self._keys = keys
            self._has_news = True
            self._report("keyset.changed", {"issuer": self.name, "keys": sorted(keys.keys), "reason": None})

    def fail(self, reason: str) -> None:
        """Take note that a fetch failed; on record once, until one succeeds.

        Args:
            reason: Why, for the record.
        """
        if not self._has_failed:
            logger.warning("the keys of issuer %s could not be fetched: %s", self.name, reason)
            known = [] if self._keys is None else sorted(self._keys.keys)
            self._report("keyset.changed", {"issuer": self.name, "keys": known, "reason": f"not fetched: {reason}"})
        self._has_failed = True
