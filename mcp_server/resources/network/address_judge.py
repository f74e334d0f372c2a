"""What is asked before an address is connected to."""

from __future__ import annotations

from typing import Protocol

from mcp_server.resources.network.endpoint import Endpoint, IPAddress


class AddressJudge(Protocol):
    """Decides on each address that a name leads to."""

    def admit(self, endpoint: Endpoint, address: IPAddress) -> None:
        """Return when `endpoint`, which was permitted, may be reached at `address`.

        Raises:
            PermissionDeniedError: It may not; the text does not name the address.
        """
