"""When two addresses are the same request's."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

MAX_TARGET_CHARACTERS: Final = 2048

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PLAIN: Final = re.compile(r"[!-~]+", re.ASCII)


def canonical_target(text: str) -> str:
    """Return an address without query and fragment, in its normal form.

    Raises:
        ValueError: It is no address over HTTP, or one that two readers could read differently.

    Source: RFC 9449, section 4.3, item 9; RFC 3986, sections 6.2.2 and 6.2.3.

    >>> canonical_target("HTTPS://MCP.example:443/a%7eb?x#y")
    'https://mcp.example/a~b'
    """
    if len(text) > MAX_TARGET_CHARACTERS or not _PLAIN.fullmatch(text) or "\\" in text:
        raise ValueError("no plain address")
    parts = urlsplit(text)
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        raise ValueError("no address over HTTP")
    # Raises ValueError for what is no number.
    port = parts.port
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port in (None, _DEFAULT_PORTS[scheme]) else f"{host}:{port}"
    path = _ESCAPE.sub(_normal_escape, parts.path) or "/"
    if "%" in _ESCAPE.sub("", path) or any(segment in (".", "..") for segment in path.split("/")):
        raise ValueError("a path that could be read in two ways")
    return f"{scheme}://{authority}{path}"


def _normal_escape(found: re.Match[str]) -> str:
    value = int(found[1], 16)
    return chr(value) if value in _UNRESERVED else f"%{found[1].upper()}"
