"""What is asked before a connection is made."""

from __future__ import annotations

from typing import Protocol

from mcp_server.resources.network.address_judge import AddressJudge
from mcp_server.resources.network.endpoint import Endpoint


class EgressRules(AddressJudge, Protocol):
    """Decides twice: on the name before it is resolved, and on each address before it is connected to."""

    async def permit(self, endpoint: Endpoint) -> None:
        """Return when `endpoint` may be connected to, as far as its name goes; not even DNS hears of it before.

        Raises:
            PermissionDeniedError: It may not.
        """
