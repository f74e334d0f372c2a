"""When two texts name the same server."""

from __future__ import annotations

import re
from typing import Final

_URI: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)


def canonical_audience(text: str) -> str:
    """Return an audience in the form in which it is compared.

    Scheme and host are compared without regard to case, everything else exactly; one slash at the end, or none, is the
    same. A text that is no address is compared as it is.

    Source: RFC 8707, section 2; RFC 3986, section 6.2.2.1; MCP 2026-07-28, basic/authorization, "Canonical Server URI".

    >>> canonical_audience("HTTPS://MCP.Example/Mcp/")
    'https://mcp.example/Mcp'
    >>> canonical_audience("mcp-guard:demo")
    'mcp-guard:demo'
    """
    found = _URI.fullmatch(text)
    if found is None:
        return text
    path = found[3].removesuffix("/")
    return f"{found[1].lower()}://{found[2].lower()}{path}"
