"""An access token as it was shown, before anybody judged it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Self

# Source: RFC 6750, section 2.1; RFC 9449, section 7.1: one blank, and the characters of token68 without its padding,
# which no token of ours has.
_AUTHORIZATION: Final = re.compile(r"(bearer|dpop) ([A-Za-z0-9._~+/-]+)", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """The text of a token, and how it was presented; it shows itself nowhere.

    Args:
        text: The token.
        is_dpop: Whether it came under the scheme `DPoP`, with a proof beside it, and not as a bearer's.

    >>> PresentedToken.from_headers(["Bearer abc.def.ghi"])
    PresentedToken(is_dpop=False)
    """

    text: str = field(repr=False)
    is_dpop: bool = False

    @classmethod
    def from_headers(cls, values: Sequence[str]) -> Self | None:
        """Return the token of a request's `Authorization` headers, None when there is no such header.

        Raises:
            ValueError: There are two, or it is not one scheme, one blank and one token. A transport answers that the
                request is malformed (400), and does not look for a token elsewhere.

        Source: MCP 2026-07-28, basic/authorization, "Token Requirements"; RFC 6750, sections 2 and 3.1.
        """
        if not values:
            return None
        if len(values) != 1:
            raise ValueError("more than one Authorization header")
        found = _AUTHORIZATION.fullmatch(values[0])
        if found is None:
            raise ValueError("the Authorization header holds no single token")
        return cls(found[2], is_dpop=found[1].lower() == "dpop")
