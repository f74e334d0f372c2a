from __future__ import annotations

import pytest

from mcp_server.security.authentication.tokens.audience import canonical_audience


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://mcp.example/mcp", "HTTPS://MCP.example/mcp/", True),
        ("https://mcp.example", "https://mcp.example/", True),
        ("https://mcp.example/mcp", "https://mcp.example/mcp//", False),
        ("https://mcp.example/mcp", "https://mcp.example/MCP", False),
        ("https://mcp.example/mcp", "https://mcp.example/mcp?x", False),
        ("https://mcp.example/mcp", "https://mcp.example:443/mcp", False),
        ("https://mcp.example/mcp", "http://mcp.example/mcp", False),
        ("https://mcp.example/mcp", "https://mcp.example/./mcp", False),
        ("https://mcp.example/mcp", " https://mcp.example/mcp", False),
        ("mcp-guard:demo", "MCP-guard:demo", False),
    ],
)
def test_when_two_texts_name_the_same_server(one: str, other: str, same: bool) -> None:
    assert (canonical_audience(one) == canonical_audience(other)) is same
