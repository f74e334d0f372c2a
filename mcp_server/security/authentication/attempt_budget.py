"""How often one source may fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from mcp_server.errors.authentication_error import AuthenticationError

MINUTES: Final = 60.0

MAX_FAILURES: Final = 20
"""Failures that one source may have at once. People mistype a dozen times; a guess at 128 random bits needs 2^127."""
REFILL_SECONDS: Final = 1 * MINUTES
"""In which a used-up budget is whole again."""
MAX_SOURCES: Final = 4096
"""Sources that are remembered, about 1 MiB; when there are more, the one that failed longest ago is forgotten."""

# One subscriber of an internet provider has this much of IPv6, or more, and any address of it.
# Source: RFC 6177, section 2.
_IPV6_PREFIX: Final = 64


class AttemptBudget:
    """Count failures by where they come from, and refuse a source that has failed too often, before looking closer.

    What it protects is our processor and the audit: a source that tries a thousand tokens a second is answered without
    any of them being looked at. Sources do not share a budget, and a success costs none. Connections that are known are
    not asked.

    Args:
        max_failures: How many failures one source may have.
        refill_seconds: In which time a used-up budget is whole again, in seconds.
        max_sources: How many sources are remembered.
        clock: Monotonic seconds.

    Source: OWASP ASVS 5.0, 6.3.1; OWASP Top 10:2025, A07.

    >>> budget = AttemptBudget(max_failures=1, clock=lambda: 0.0)
    >>> budget.check("192.0.2.1"); budget.count_failure("192.0.2.1"); budget.check("192.0.2.2")
    >>> budget.check("192.0.2.1")
    Traceback (most recent call last):
    mcp_server.errors.authentication_error.AuthenticationError: not authenticated
    """

    def __init__(
        self,
        *,
        max_failures: int = MAX_FAILURES,
        refill_seconds: float = REFILL_SECONDS,
        max_sources: int = MAX_SOURCES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_failures = max_failures
        self._rate = max_failures / refill_seconds
        self._max_sources = max_sources
        self._clock = clock
        # How many failures are left, and when that was so; the source that failed last stands last.
        self._left: dict[str, tuple[float, float]] = {}

    def check(self, source: str) -> None:
        """Return when the source has failures left; an empty one, which nobody can tell from another, always has.

        Raises:
            AuthenticationError: It has none.
        """
        if source and self._failures_left(_source_of(source)) < 1.0:
            raise AuthenticationError("too many failures from this source")

    def count_failure(self, source: str) -> None:
        """Take one failure off the source's budget."""
        if not source:
            return
        key = _source_of(source)
        left = max(0.0, self._failures_left(key) - 1.0)
        self._left.pop(key, None)
        if len(self._left) >= self._max_sources:
            del self._left[next(iter(self._left))]
        self._left[key] = (left, self._clock())

    def _failures_left(self, key: str) -> float:
        known = self._left.get(key)
        if known is None:
            return float(self._max_failures)
        left, since = known
        return min(float(self._max_failures), left + (self._clock() - since) * self._rate)


def _source_of(text: str) -> str:
    """Return what counts as one source: an address of IPv4, a subscriber's network of IPv6, another name as it is."""
    try:
        address = ip_address(text)
    except ValueError:
        return text
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address.packed, _IPV6_PREFIX), strict=False))
    return str(address)
