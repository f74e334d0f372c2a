"""What the server keeps of one client while it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcp_server.security.call_breaker import CallBreaker
from mcp_server.security.client_state import ClientState
from mcp_server.security.client_view import ClientView

if TYPE_CHECKING:
    from mcp_server.resources.filesystem.client_files import ClientFiles
    from mcp_server.security.permissions.client_profile import ClientProfile


class ClientRecord:
    """A client's files, its handlers' state, and the counters of its limits.

    Args:
        profile: The policy's words about the client.
        files: Its folders, None when the policy gives it none.
        now: Monotonic seconds at its creation.

    >>> from mcp_server.security.permissions.policy import Policy
    >>> profile = Policy.for_folders([], client="local").clients["local"]
    >>> ClientRecord(profile=profile, files=None, now=0.0).running
    0
    """

    __slots__ = ("breaker", "budget", "budget_time", "files", "open_questions", "profile", "running", "state", "view")

    def __init__(self, *, profile: ClientProfile, files: ClientFiles | None, now: float) -> None:
        self.profile = profile
        self.files = files
        self.state = ClientState()
        self.running = 0
        self.open_questions = 0
        self.budget = float(profile.limits.calls_per_minute)
        self.budget_time = now
        self.breaker = CallBreaker()
        self.view: ClientView | None = None
