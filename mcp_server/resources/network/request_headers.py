"""The headers of a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Self

MAX_HEADERS: Final = 64
MAX_VALUE_CHARACTERS: Final = 8_192
"""What servers take in one line."""

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]{1,128}", re.ASCII)
# Tab, blank and what is visible; bytes beyond ASCII have no meaning that two servers share. Source: RFC 9110, 5.5.
_VALUE: Final = re.compile(r"(?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?", re.ASCII)

# Written by the client itself, for they say where a message ends and whom it is for.
_OWN: Final = frozenset(
    "accept-encoding connection content-length expect host keep-alive proxy-authenticate proxy-authorization "
    "proxy-connection te trailer transfer-encoding upgrade".split()
)
# What may follow a redirect to another origin. Whatever else the caller wrote may be a credential: there are more names
# for those than `Authorization` and `Cookie`.
_FOR_ANYBODY: Final = frozenset("accept accept-language cache-control content-language content-type user-agent".split())


class RequestHeaders:
    """The caller's headers, checked; what goes out with each hop.

    Args:
        headers: Names and values, as the caller wrote them.

    Raises:
        ValueError: One of them cannot be sent; the text names it, and never its value.

    >>> headers = RequestHeaders({"Authorization": "Bearer x", "Accept": "text/plain"})
    >>> headers.for_another_origin().lines("api.example.org")[0]
    (b'host', b'api.example.org')
    >>> headers.for_another_origin().lines("api.example.org")[-1]
    (b'accept', b'text/plain')
    """

    __slots__ = ("_headers",)

    def __init__(self, headers: Mapping[str, str]) -> None:
        if len(headers) > MAX_HEADERS:
            raise ValueError(f"there are more than {MAX_HEADERS} headers")
        self._headers: dict[str, str] = {}
        for written, value in headers.items():
            name = written.lower()
            if not _NAME.fullmatch(name):
                raise ValueError(f"{written!a} is no name of a header")
            if name in _OWN:
                raise ValueError(f"the header {name!r} is written by the client itself")
            if name in self._headers:
                raise ValueError(f"the header {name!r} is written twice")
            if len(value) > MAX_VALUE_CHARACTERS or not _VALUE.fullmatch(value):
                raise ValueError(f"the value of the header {name!r} holds a character that no header may, or too many")
            self._headers[name] = value

    def with_default(self, name: str, value: str) -> Self:
        """Return them with one more, unless the caller wrote it."""
        return self if name in self._headers else self._with({**self._headers, name: value})

    def for_another_origin(self) -> Self:
        """Return what may be sent to somebody else: nothing that could be a credential."""
        return self._with({name: value for name, value in self._headers.items() if name in _FOR_ANYBODY})

    def without_body(self) -> Self:
        """Return them without those that speak of a body."""
        return self._with({name: value for name, value in self._headers.items() if not name.startswith("content-")})

    def lines(self, authority: str, body_bytes: int | None = None) -> list[tuple[bytes, bytes]]:
        """Return the lines of one request.

        Args:
            authority: The value of `Host`.
            body_bytes: The body's length, None without one.
        """
        own = {"host": authority, "accept-encoding": "gzip", "connection": "close"}
        if body_bytes is not None:
            own["content-length"] = str(body_bytes)
        return [(name.encode("ascii"), value.encode("ascii")) for name, value in (own | self._headers).items()]

    def _with(self, headers: dict[str, str]) -> Self:
        changed = type(self)({})
        changed._headers = headers
        return changed
