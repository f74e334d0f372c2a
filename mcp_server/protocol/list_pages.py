"""Lists, page by page, encoded once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from mcp_server.protocol.jsonrpc.cursor_codec import CursorCodec
from mcp_server.protocol.jsonrpc.jsonrpc_codec import JSONRPCCodec
from mcp_server.protocol.sessions.exchange import Exchange

if TYPE_CHECKING:
    from mcp_server.tools.resource_list import ResourceList

PAGE_SIZE: Final = 1_000
"""Entries a page. Many clients never ask for a second page, so the first holds what any sensible server offers."""

MAX_KEPT: Final = 128
"""Encoded pages kept: a few clients times a few revisions times four lists."""


class ListPages:
    """Cut a list into pages and keep each page's bytes until the list or the policy changes.

    Args:
        codec: Encodes.
        cursors: Makes and checks cursors; one that belongs to another list, or an older state of it, is refused.
        page_size: Entries a page.
    """

    def __init__(self, *, codec: JSONRPCCodec, cursors: CursorCodec, page_size: int = PAGE_SIZE) -> None:
        self._codec = codec
        self._cursors = cursors
        self._page_size = page_size
        self._last: tuple[str, str, Sequence[Any]] | None = None
        self._kept: dict[tuple[str, str, str, int], bytes] = {}

    def page(
        self,
        *,
        exchange: Exchange,
        member: str,
        fingerprint: str,
        entries: Callable[[], Sequence[Any]],
    ) -> bytes:
        """Return one encoded page.

        Args:
            exchange: The request, whose method is the list's.
            member: The member of the result that holds the entries.
            fingerprint: Names the list's state and its reader; a page is kept, and a cursor good, for this one only.
            entries: Returns all entries the reader may see, in a stable order.

        Raises:
            ProtocolError: -32602, the cursor was not made for this list.
        """
        start = self._start(exchange, fingerprint)
        key = (exchange.method, exchange.revision.date, fingerprint, start)
        kept = self._kept.get(key)
        if kept is None:
            everything = self._entries(exchange.method, fingerprint, start, entries)
            page = [entry.to_wire() for entry in everything[start : start + self._page_size]]
            kept = self._codec.encode(self._result(exchange, member, fingerprint, start, page, len(everything)))
            if len(self._kept) >= MAX_KEPT:
                self._kept.clear()
            self._kept[key] = kept
        return kept

    def _entries(
        self, method: str, fingerprint: str, start: int, entries: Callable[[], Sequence[Any]]
    ) -> Sequence[Any]:
        """Return a list's entries; those of the last list are kept, for its further pages mostly come next."""
        if not start or self._last is None or self._last[:2] != (method, fingerprint):
            self._last = (method, fingerprint, entries())
        return self._last[2]

    def cut(self, *, exchange: Exchange, member: str, listed: ResourceList) -> Mapping[str, Any]:
        """Return one page of a list that was made for this request, and is not kept.

        Args:
            exchange: The request, whose method is the list's.
            member: The member of the result that holds the entries.
            listed: The list, all of it; a cursor is good as long as nothing in it changes.

        Raises:
            ProtocolError: -32602, the cursor was not made for this list.
        """
        reader = exchange.connection.channel.credentials.profile
        fingerprint = f"{reader}.{listed.fingerprint}"
        start = self._start(exchange, fingerprint)
        page = listed.entries(start, start + self._page_size)
        return self._result(exchange, member, fingerprint, start, page, len(listed))

    def _start(self, exchange: Exchange, fingerprint: str) -> int:
        if "cursor" not in exchange.params:
            return 0
        return self._cursors.decode(exchange.params["cursor"], method=exchange.method, fingerprint=fingerprint)

    def _result(
        self,
        exchange: Exchange,
        member: str,
        fingerprint: str,
        start: int,
        page: Sequence[Mapping[str, Any]],
        count: int,
    ) -> Mapping[str, Any]:
        result: dict[str, Any] = {member: list(page)}
        stop = start + self._page_size
        if stop < count:
            result["nextCursor"] = self._cursors.encode(stop, method=exchange.method, fingerprint=fingerprint)
        return exchange.project(result)
