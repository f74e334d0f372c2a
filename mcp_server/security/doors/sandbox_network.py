"""What one sandboxed run may reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.resources.isolation.sandbox_policy import MAX_ENDPOINTS
from mcp_server.resources.network.endpoint import Endpoint, IPAddress
from mcp_server.security.call_gate import CallGate
from mcp_server.security.doors.gate_rules import GateRules
from mcp_server.security.permissions.endpoint_pattern import canonical_endpoint
from mcp_server.security.permissions.permission_type import PermissionType

if TYPE_CHECKING:
    # Handed in: whoever knows the door need not know of sockets.
    from mcp_server.resources.network.egress_proxy import EgressProxy
    from mcp_server.resources.sandbox_manager import SandboxManager

MAX_REFUSALS: Final = 16
"""Different hosts and ports that were not granted and are on record for one run: one that knocks everywhere must not
push what it really reached out of the record, whose length is bounded."""

MAX_NOTED_CHARACTERS: Final = 96
"""Of a host and port that were not granted: what a run asks for may be what it wants to tell."""


class SandboxNetwork:
    """Permit hosts and ports before a run, judge addresses during it, and put on record what the run asked for.

    Each needs NETWORK_CONNECT, as for `HttpDoor`: declared by the tool, granted by the policy, agreed to where it says
    ask. Addresses are judged by `GateRules`. What is taken away while the run goes on is not connected to any more.

    Args:
        gate: Decides.
        sandboxes: Makes the proxy.
        client: The client's name.
    """

    __slots__ = ("_client", "_gate", "_noted", "_permitted", "_refused", "_rules", "_sandboxes")

    def __init__(self, *, gate: CallGate, sandboxes: SandboxManager, client: str) -> None:
        self._gate = gate
        self._rules = GateRules(gate)
        self._sandboxes = sandboxes
        self._client = client
        self._permitted: frozenset[str] = frozenset()
        self._noted: set[tuple[str, int]] = set()
        self._refused = 0

    async def permit(self, network: Sequence[str]) -> tuple[str, ...]:
        """Return hosts and ports in their one form, when all of them may be connected to.

        Args:
            network: Hosts and ports, as they were given.

        Raises:
            InvalidArgumentsError: One of them is none, or there are too many.
            PermissionDeniedError: One of them is not declared, not granted, or nobody agreed.
        """
        if len(network) > MAX_ENDPOINTS:
            raise InvalidArgumentsError([f"a run may reach {MAX_ENDPOINTS} hosts and ports at most"])
        try:
            found = tuple(dict.fromkeys(canonical_endpoint(each) for each in network))
        except ValueError as error:
            problem = f"'network' names hosts and ports, such as 'api.example.org:443': {error}"
            raise InvalidArgumentsError([problem]) from error
        if found:
            await self._gate.require_all([(PermissionType.NETWORK_CONNECT, each, None, None) for each in found])
        self._permitted = frozenset(found)
        return found

    def open_proxy(self, allowed: tuple[str, ...]) -> EgressProxy:
        """Return what carries the connections of one run.

        Args:
            allowed: Hosts and ports that were permitted.

        Raises:
            ResourceUnavailableError: This server connects to nothing.
            ConfigurationError: The extra `http-client` is not installed.
        """
        return self._sandboxes.open_proxy(self._client, allowed, self, self._note)

    def admit(self, endpoint: Endpoint, address: IPAddress) -> None:
        """Return when the address may be connected to; see `AddressJudge.admit`.

        The name is looked at once more: a policy may have changed since it was permitted.
        """
        if not self._gate.could_allow(PermissionType.NETWORK_CONNECT, str(endpoint)):
            raise PermissionDeniedError(
                f"missing permission: NETWORK_CONNECT {str(endpoint)!r}, which was taken away",
                missing=[(PermissionType.NETWORK_CONNECT, str(endpoint))],
            )
        self._rules.admit(endpoint, address)

    def _note(self, asked: str, status: int) -> None:
        """Put a decision of the proxy on record, each once."""
        if (asked, status) in self._noted:
            return
        shown = asked
        if asked not in self._permitted:
            if self._refused > MAX_REFUSALS:
                return
            self._refused += 1
            if self._refused > MAX_REFUSALS:
                shown = "and more"
            elif len(asked) > MAX_NOTED_CHARACTERS:
                shown = asked[:MAX_NOTED_CHARACTERS] + "..."
        self._noted.add((asked, status))
        self._gate.note(PermissionType.NETWORK_CONNECT, shown, f"proxy {status}")
