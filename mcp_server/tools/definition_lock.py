"""What tools were when somebody last looked at them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Self

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.tools.definition_drift import DefinitionDrift
from mcp_server.tools.tool import Tool

VERSION: Final = 1
MAX_LOCK_BYTES: Final = 8 << 20
"""A lock of 50,000 tools with the longest names; a larger file is none."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class DefinitionLock:
    """A digest for each tool: of its name, description, input schema and permissions, as `Tool.definition_hash` has it.

    A model obeys the description of a tool, and a human approved what he read. A definition that has changed since is
    another tool under the same name.

    Args:
        digests: The digests by the tools' names.

    Source: R-17 of the users' requirements, "rug pull"; OWASP MCP03, tool poisoning.

    >>> lock = DefinitionLock({"read": "ab" * 32})
    >>> DefinitionLock.parse(lock.to_text(), source="desk.lock").digests == lock.digests
    True
    """

    def __init__(self, digests: Mapping[str, str]) -> None:
        self.digests: Final = MappingProxyType(dict(sorted(digests.items())))

    @classmethod
    def of(cls, tools: Iterable[Tool]) -> Self:
        """Return the lock of these tools as they are."""
        return cls({tool.name: tool.definition_hash for tool in tools})

    @classmethod
    def parse(cls, text: str, *, source: str) -> Self:
        """Return the lock that a file holds.

        Args:
            text: Its text.
            source: Its name in messages.

        Raises:
            ConfigurationError: It is no lock of a version that is known.
        """
        hint = "make it anew with `mcp-server lock`, after a look at `mcp-server tools`"
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(f"is no lock of definitions; {hint}", source=source) from error
        tools = data.get("tools") if isinstance(data, dict) and data.keys() == {"version", "tools"} else None
        if not isinstance(tools, dict) or data["version"] != VERSION:
            raise ConfigurationError(f"is no lock of definitions of version {VERSION}; {hint}", source=source)
        for name, digest in tools.items():
            if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
                raise ConfigurationError(f"the digest of {name!r} is none; {hint}", source=source)
        return cls(tools)

    def to_text(self) -> str:
        """Return the file's text: one tool a line, in the order of their names, so that a difference is easy to see."""
        return json.dumps({"version": VERSION, "tools": dict(self.digests)}, indent=1) + "\n"

    def holds(self, tool: Tool) -> bool:
        """Whether a tool is what was locked."""
        return self.digests.get(tool.name) == tool.definition_hash

    def drift(self, tools: Iterable[Tool]) -> DefinitionDrift:
        """Return how these tools differ from what was locked."""
        found = {tool.name: tool.definition_hash for tool in tools}
        known = self.digests
        return DefinitionDrift(
            changed=tuple(sorted(name for name, digest in found.items() if name in known and known[name] != digest)),
            added=tuple(sorted(found.keys() - known.keys())),
            missing=tuple(sorted(known.keys() - found.keys())),
        )
