"""The gate's decisions, as a connection asks for them."""

from __future__ import annotations

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.endpoint import Endpoint, IPAddress
from mcp_server.security.network_gate import NetworkGate
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.permission_type import PermissionType


class GateRules:
    """Permit names through the gate, and judge addresses by what kind they are and what the policy says of them.

    - An address that a rule denies is refused, whatever name leads to it.
    - One that is not public is refused unless a rule allows that address or its network. A rule that says `ask` is not
      enough: the human would read where the names of this network lead.
    - Any other is reached by whoever was permitted the name.

    What is refused says that an address is missing, and not which: the audit does.

    Args:
        gate: Decides.

    >>> import asyncio
    >>> from ipaddress import ip_address
    >>> class Silent:
    ...     async def require(self, permission_type, resource, relative=None): print(permission_type, resource)
    ...     def stance(self, permission_type, resource): return None
    >>> rules, endpoint = GateRules(Silent()), Endpoint.parse("api.example.org:443")
    >>> asyncio.run(rules.permit(endpoint))
    NETWORK_CONNECT api.example.org:443
    >>> rules.admit(endpoint, ip_address("8.8.8.8"))
    >>> rules.admit(endpoint, ip_address("10.0.0.1"))
    Traceback (most recent call last):
    mcp_server.errors.permission_denied_error.PermissionDeniedError: missing permission: NETWORK_CONNECT for the ...
    """

    __slots__ = ("_gate",)

    def __init__(self, gate: NetworkGate) -> None:
        self._gate = gate

    async def permit(self, endpoint: Endpoint) -> None:
        """Return when the name may be connected to; see `EgressRules.permit`."""
        await self._gate.require(PermissionType.NETWORK_CONNECT, str(endpoint))

    def admit(self, endpoint: Endpoint, address: IPAddress) -> None:
        """Return when the address may be connected to; see `EgressRules.admit`."""
        written = endpoint.address
        for face in AddressRules.faces(address):
            # What was written out as an address was decided as such already.
            if face == written:
                continue
            resource = str(Endpoint.of_address(face, endpoint.port))
            stance = self._gate.stance(PermissionType.NETWORK_CONNECT, resource)
            if stance is Effect.DENY:
                raise PermissionDeniedError(
                    f"{str(endpoint)!r} leads to an address that a rule of the policy denies; do not retry, choose "
                    "another host or say so",
                    missing=[(PermissionType.NETWORK_CONNECT, str(endpoint))],
                )
            if stance is not Effect.ALLOW and not AddressRules.is_public(face):
                raise PermissionDeniedError(
                    f"missing permission: NETWORK_CONNECT for the address behind {str(endpoint)!r}, which is not "
                    "public; only a rule that names that address or its network grants it, and the operator, who finds "
                    "the address in the audit, can write one; do not retry, choose another host or say so",
                    missing=[(PermissionType.NETWORK_CONNECT, str(endpoint))],
                )
