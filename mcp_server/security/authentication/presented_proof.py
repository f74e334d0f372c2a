"""A proof of possession as it was shown, and what it must be about."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PresentedProof:
    """The `DPoP` headers of a request, and the request.

    Args:
        values: The headers' values, as many as there were.
        method: The request's method.
        target: The address it was sent to, as this server knows itself: scheme, host and path.

    Source: RFC 9449, section 4.1.

    >>> PresentedProof(("a.b.c",), method="POST", target="https://mcp.example/mcp").method
    'POST'
    """

    values: tuple[str, ...] = field(repr=False)
    method: str
    target: str
