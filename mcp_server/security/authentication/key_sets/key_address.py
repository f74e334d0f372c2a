"""Where the keys of an issuer are fetched from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.resources.network.address_rules import AddressRules
from mcp_server.resources.network.endpoint import Endpoint, IPAddress
from mcp_server.resources.network.web_address import WebAddress


@dataclass(frozen=True, slots=True)
class KeyAddress:
    """An address of keys, or of an issuer's metadata that name one; and what may be connected to for it.

    The host is fixed when the policy is read: nothing that is fetched leads to another one. Addresses that are not
    public are refused, unless their network is granted beside it.

    Args:
        url: An address over HTTPS.
        is_metadata: Whether it is that of the issuer's metadata (RFC 8414), which say where the keys are.
        networks: Networks that may be connected to although they are not public.

    Raises:
        ValueError: It is no address over HTTPS, or one of the networks is none.

    >>> KeyAddress("http://id.example/keys")
    Traceback (most recent call last):
    ValueError: keys are fetched over https only
    """

    url: str
    is_metadata: bool = False
    networks: tuple[str, ...] = ()
    _endpoint: Endpoint = field(init=False, repr=False, compare=False)
    _rules: AddressRules = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        address = WebAddress.parse(self.url)
        if address.scheme != "https":
            raise ValueError("keys are fetched over https only")
        object.__setattr__(self, "_endpoint", address.endpoint)
        object.__setattr__(self, "_rules", _rules(self.networks))

    async def permit(self, endpoint: Endpoint) -> None:
        """Return when `endpoint` is the one that the policy names.

        Raises:
            PermissionDeniedError: It is another.
        """
        if endpoint != self._endpoint:
            raise PermissionDeniedError("keys are fetched from the host that the policy names, and from no other")

    def admit(self, endpoint: Endpoint, address: IPAddress) -> None:
        """Return when `address` may be connected to.

        Raises:
            PermissionDeniedError: It is not public, and its network was not granted.
        """
        self._rules.admit(endpoint, address)

    def to_json(self) -> list[Any]:
        """Return it as JSON, for the digest of the policy."""
        return ["metadata" if self.is_metadata else "url", self.url, *self.networks]


def _rules(networks: Iterable[str]) -> AddressRules:
    from mcp_server.errors.configuration_error import ConfigurationError

    try:
        return AddressRules(granted=networks)
    except ConfigurationError as error:
        raise ValueError(error.message) from error
