"""A server in the newest shape, for every revision to dress down."""

from __future__ import annotations

from typing import Any

import pytest

from mcp_server.protocol.revisions.revision import Revision
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry

REVISIONS = {revision.date: revision for revision in RevisionRegistry().all}


@pytest.fixture(params=sorted(REVISIONS))
def revision(request: pytest.FixtureRequest) -> Revision:
    return REVISIONS[request.param]


@pytest.fixture
def server_info() -> dict[str, Any]:
    return {
        "name": "desk",
        "version": "1.0",
        "title": "Desk",
        "description": "A desk.",
        "websiteUrl": "https://example.org/",
        "icons": [{"src": "https://example.org/i.png", "mimeType": "image/png", "sizes": ["48x48"]}],
    }


@pytest.fixture
def capabilities() -> dict[str, Any]:
    return {
        "tools": {"listChanged": True},
        "resources": {"subscribe": True, "listChanged": True},
        "prompts": {"listChanged": True},
        "logging": {},
        "completions": {},
        "extensions": {"org.example/x": {}},
    }


@pytest.fixture
def tool() -> dict[str, Any]:
    return {
        "name": "count",
        "title": "Count",
        "description": "Counts.",
        "inputSchema": {"type": "object", "properties": {"a": True, "b": {"type": "string"}}, "required": ["b"]},
        "outputSchema": {"type": "array", "items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "integer"}}},
        "annotations": {"readOnlyHint": True},
        "icons": [{"src": "https://example.org/t.png"}],
        "_meta": {"dev.mcpserver/x": 1},
    }


@pytest.fixture
def blocks() -> list[dict[str, Any]]:
    annotations = {"audience": ["user"], "priority": 1, "lastModified": "2026-01-01T00:00:00Z"}
    return [
        {"type": "text", "text": "t", "annotations": annotations, "_meta": {"a/b": 1}},
        {"type": "image", "data": "AAAA", "mimeType": "image/png"},
        {"type": "audio", "data": "AAAA", "mimeType": "audio/wav", "annotations": annotations},
        {"type": "resource", "resource": {"uri": "file:///a", "text": "x", "_meta": {"a/b": 1}}},
        {
            "type": "resource_link",
            "uri": "file:///b",
            "name": "b",
            "description": "the letter",
            "mimeType": "text/plain",
            "icons": [{"src": "https://example.org/t.png"}],
        },
    ]
