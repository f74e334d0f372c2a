"""The table of revisions: a new one is one file and one line here."""

from __future__ import annotations

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.jsonrpc.error_code import ErrorCode
from mcp_server.protocol.revisions.handshake_revision import HandshakeRevision
from mcp_server.protocol.revisions.revision import Revision
from mcp_server.protocol.revisions.revision_2024_11_05 import Revision20241105
from mcp_server.protocol.revisions.revision_2025_03_26 import Revision20250326
from mcp_server.protocol.revisions.revision_2025_06_18 import Revision20250618
from mcp_server.protocol.revisions.revision_2025_11_25 import Revision20251125
from mcp_server.protocol.revisions.revision_2026_07_28 import Revision20260728
from mcp_server.protocol.revisions.stateless_revision import StatelessRevision

MAX_ECHOED_VERSION: int = 64
"""An unknown version is echoed, as the specification demands, but not however long it is."""


class RevisionRegistry:
    """Finds the revision a client speaks.

    The two eras are asked for in different ways: a handshake that names an unknown date is answered with the newest
    date of that era, and the client decides; a modern request that does so is refused, with the dates it may use.

    Source: MCP 2025-11-25, basic/lifecycle, "Version negotiation"; MCP 2026-07-28, basic/versioning.

    >>> registry = RevisionRegistry()
    >>> registry.negotiate("2025-03-26").date, registry.negotiate("1999-01-01").date
    ('2025-03-26', '2025-11-25')
    >>> registry.modern_dates
    ('2026-07-28',)
    """

    __slots__ = ("_handshake", "_stateless")

    def __init__(self) -> None:
        handshake = (Revision20241105(), Revision20250326(), Revision20250618(), Revision20251125())
        stateless = (Revision20260728(),)
        self._handshake: dict[str, HandshakeRevision] = {revision.date: revision for revision in handshake}
        self._stateless: dict[str, StatelessRevision] = {revision.date: revision for revision in stateless}

    @property
    def all(self) -> tuple[Revision, ...]:
        """Every revision, oldest first."""
        return (*self._handshake.values(), *self._stateless.values())

    @property
    def handshake_dates(self) -> tuple[str, ...]:
        """The dates `initialize` may settle on, oldest first."""
        return tuple(self._handshake)

    @property
    def modern_dates(self) -> tuple[str, ...]:
        """The dates `server/discover` lists. No older one: clients take those for a wish to shake hands."""
        return tuple(self._stateless)

    def negotiate(self, requested: str) -> HandshakeRevision:
        """Return the revision to answer `initialize` with: the one asked for, or the newest of its era."""
        newest = next(reversed(self._handshake.values()))
        return self._handshake.get(requested, newest)

    def modern(self, version: str) -> StatelessRevision:
        """Return the revision of a modern request.

        Raises:
            ProtocolError: -32022; it is not served, and `data` says which are.
        """
        revision = self._stateless.get(version)
        if revision is not None:
            return revision
        raise ProtocolError(
            ErrorCode.UNSUPPORTED_PROTOCOL_VERSION,
            f"protocol version not supported; use {' or '.join(self._stateless)}",
            {"supported": list(self._stateless), "requested": version[:MAX_ECHOED_VERSION]},
        )
