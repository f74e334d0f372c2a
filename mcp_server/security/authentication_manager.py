"""Step 1: who calls."""

from __future__ import annotations

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.credentials import Credentials
from mcp_server.security.authentication.principal import Principal
from mcp_server.security.permission_manager import PermissionManager


class AuthenticationManager:
    """Turn credentials into a principal, or refuse.

    A local peer over stdio is whoever the operator said on the command line: the operating system started the pair,
    and the profile's name was written by the operator. What the client says of itself (`clientInfo`) maps nothing.
    The policy is looked at on every call, so that a client which a reload removed is refused at once.

    Args:
        permissions: Knows which clients the policy names.

    >>> from mcp_server.security.permissions.policy import Policy
    >>> manager = AuthenticationManager(permissions=PermissionManager(policy=Policy.for_folders([], client="local")))
    >>> manager.authenticate(Credentials(transport="stdio", profile="local")).client
    'local'
    """

    def __init__(self, *, permissions: PermissionManager) -> None:
        self._permissions = permissions
        self._principals: dict[Credentials, tuple[int, Principal]] = {}

    def authenticate(self, credentials: Credentials) -> Principal:
        """Return the principal that the credentials amount to.

        Raises:
            AuthenticationError: They amount to nobody the policy names.
        """
        epoch = self._permissions.epoch
        known = self._principals.get(credentials)
        if known is not None and known[0] == epoch:
            return known[1]
        principal = self._establish(credentials)
        # One entry a connection: `forget` removes it when the connection ends.
        self._principals[credentials] = (epoch, principal)
        return principal

    def forget(self, credentials: Credentials) -> None:
        """Drop what is remembered of a connection that has ended."""
        self._principals.pop(credentials, None)

    def _establish(self, credentials: Credentials) -> Principal:
        if credentials.profile is None:
            raise AuthenticationError(f"no credentials over {credentials.transport}")
        if self._permissions.profile(credentials.profile) is None:
            raise AuthenticationError(f"the policy names no client {credentials.profile!r}")
        return Principal(credentials.profile, ("local-peer",), credentials.peer)
