"""The other end of the call, as far as a running handler may talk to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class ClientPeer(Protocol):
    """Questions to, and news for, the client that made the call; one object a call.

    A question either returns the answer, or raises `InputRequiredSignal` where the revision carries questions in
    results.
    """

    @property
    def can_elicit(self) -> bool:
        """Whether the client can put a form before its human."""

    @property
    def can_sample(self) -> bool:
        """Whether the client lends its model."""

    @property
    def can_list_roots(self) -> bool:
        """Whether the client tells its roots."""

    @property
    def can_elicit_url(self) -> bool:
        """Whether the client can send its human to a web page."""

    async def elicit(
        self, params: Mapping[str, Any], *, bound_to: str = "", ttl_seconds: float | None = None
    ) -> Mapping[str, Any]:
        """Ask the human; return the protocol's ElicitResult (`action`, and `content` when accepted).

        Args:
            params: `message` with `requestedSchema`, or `message` with `mode: "url"` and `url`.
            bound_to: What the answer is about beyond the question's words; an answer that comes back when it has
                changed is none.
            ttl_seconds: How long an answer that travels is accepted, in seconds; None for as long as any.
        """

    async def sample(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask the client's model; return the protocol's CreateMessageResult."""

    async def list_roots(self) -> Sequence[Mapping[str, Any]]:
        """Return the client's roots, `{"uri": ..., "name": ...}`."""

    def progress(self, progress: float, total: float | None, message: str | None) -> None:
        """Tell how far the call is, where the client asked to know."""

    def log(self, level: str, data: Any, logger: str | None) -> None:
        """Send a log message, where the client's level lets it through."""

    def heartbeat(self, elapsed_seconds: float) -> None:
        """Tell that a long call still runs, where the client asked for progress."""
