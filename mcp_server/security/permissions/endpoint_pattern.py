"""Which hosts and ports a rule is about."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, Self

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.network.address_rules import AddressRules, IPNetwork
from mcp_server.resources.network.endpoint import Endpoint, IPAddress, canonical_host
from mcp_server.resources.network.web_address import WebAddress
from mcp_server.security.permissions.resource_pattern import ResourcePattern

_EVERYTHING: Final = ("*", "**", "*:*")
_PORT: Final = re.compile(r"\*|[1-9][0-9]{0,4}", re.ASCII)
_read: Final = lru_cache(maxsize=1024)(Endpoint.parse)


@dataclass(frozen=True, slots=True)
class EndpointPattern(ResourcePattern):
    """A compiled pattern for hosts and ports, `host:port`.

    - The host is a name, `*.name` for one label before it, an address, a network (`10.0.0.0/8`, `[fd00::/8]`), or `*`.
    - The port is a number or `*`; it is always written. `*` alone is `*:*`.
    - **A name grants no address that is not public**, and neither does `*`: such an address is granted by itself or by
      its network, for `intranet.example.org` is whatever its owner says it is. This holds for names that are resolved
      (the door asks for the address then) as for addresses that are written out.
    - What is granted is granted in its one form, as `Endpoint` writes it; no other spelling is.
    - A denial is read more widely: `*.name` is any number of labels, `*` any address, and a network also holds the
      addresses in IPv6 that carry one of it.

    Made by `compile`; the fields are what it found.

    Args:
        text: The pattern as it was written.
        pieces: The canonical text where it names one host and port, else two empty ones.
        name: The name, with a leading dot where a label stands before it; None for addresses, and for any host.
        network: The network, None for names and for any host.
        port: The port, None for any.

    >>> EndpointPattern.compile("*.example.org:443").matches("api.example.org:443")
    True
    >>> any_host = EndpointPattern.compile("*:443")
    >>> any_host.matches("10.0.0.1:443"), any_host.covers("10.0.0.1:443")
    (False, True)
    >>> EndpointPattern.compile("10.0.0.0/8:443").matches("10.0.0.1:443")
    True
    """

    name: str | None = field(default=None)
    network: IPNetwork | None = field(default=None)
    port: int | None = field(default=None)

    @classmethod
    def compile(cls, text: str, *, client: str | None = None) -> Self:
        """Return the pattern that `text` writes.

        Args:
            text: The pattern.
            client: What `{client}` stands for, None where it stands for nothing.

        Raises:
            ConfigurationError: It has another form, or can never match.
        """
        # What holds for every pattern: not empty, not too long, no control character.
        ResourcePattern.compile(text)
        expanded = text if client is None else text.replace("{client}", client)
        if expanded in _EVERYTHING:
            return cls(text, ("", ""))
        host, colon, port = expanded.rpartition(":")
        if not colon or not host or not _PORT.fullmatch(port) or (host.startswith("[") != host.endswith("]")):
            raise ConfigurationError(
                f"{text!r} must be written as host:port; 'api.example.org:*' is every port of a host"
            )
        number = None if port == "*" else int(port)
        try:
            if host == "*":
                return cls(text, ("", ""), port=number)
            if "/" in host:
                network = ip_network(host.removeprefix("[").removesuffix("]"))
                if isinstance(network, IPv6Network) != host.startswith("["):
                    raise ValueError("a network of IPv6 stands in brackets, and one of IPv4 does not")
                if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped is not None:
                    raise ValueError("mapped addresses are written as the IPv4 addresses that they are")
                return cls(text, ("", ""), network=network, port=number)
            name = canonical_host(host.removeprefix("*."))
            endpoint = Endpoint(name, 1 if number is None else number)
            # Once more through the parser, for it knows which numbers are ports.
            _read(str(endpoint))
        except ValueError as error:
            raise ConfigurationError(f"{text!r} is no pattern of hosts and ports: {error}") from error
        if endpoint.address is not None:
            if host.startswith("*."):
                raise ConfigurationError(f"{text!r} can never match: an address has no labels; write a network")
            network = ip_network(endpoint.address)
            return cls(text, ("", "") if number is None else (str(endpoint),), network=network, port=number)
        if host.startswith("*."):
            return cls(text, ("", ""), name="." + name, port=number)
        return cls(text, ("", "") if number is None else (str(endpoint),), name=name, port=number)

    def folded(self) -> Self:
        """Return the pattern itself: hosts have one spelling."""
        return self

    @property
    def canonical(self) -> str:
        """The compiled pattern in one unambiguous line."""
        if self.network is not None:
            host = f"[{self.network}]" if isinstance(self.network, IPv6Network) else str(self.network)
        else:
            host = "*" if self.name is None else "*" + self.name if self.name.startswith(".") else self.name
        return f"{host}:{'*' if self.port is None else self.port}"

    @property
    def is_everything(self) -> bool:
        """Whether it is any host and any port."""
        return self.name is None and self.network is None and self.port is None

    def matches(self, resource: str) -> bool:
        """Whether a grant of this pattern is one of `resource`; what is no host and port is granted by none."""
        endpoint = _endpoint(resource)
        # In one form only, or a denial that is looked up by its text would not find it.
        if endpoint is None or str(endpoint) != resource or self.port not in (None, endpoint.port):
            return False
        address = endpoint.address
        if self.network is not None:
            return address is not None and _holds(self.network, address)
        if address is not None:
            return self.name is None and AddressRules.is_public(address)
        if self.name is None:
            return True
        if self.name.startswith("."):
            return endpoint.host.endswith(self.name) and "." not in endpoint.host.removesuffix(self.name)
        return endpoint.host == self.name

    def covers(self, resource: str) -> bool:
        """Whether a denial of this pattern is one of `resource`, in the widest sense."""
        endpoint = _endpoint(resource)
        if endpoint is None:
            return self.is_everything
        if self.port not in (None, endpoint.port):
            return False
        address = endpoint.address
        if self.network is not None:
            network = self.network
            return address is not None and any(
                _holds(network, face) for face in (address, *AddressRules.faces(address))
            )
        if self.name is None:
            return True
        if self.name.startswith("."):
            return endpoint.host.endswith(self.name)
        return endpoint.host == self.name

    def is_disjoint(self, other: ResourcePattern) -> bool:
        """Whether surely no resource fits both; False when in doubt."""
        if not isinstance(other, EndpointPattern):
            return False
        if self.port is not None and other.port is not None and self.port != other.port:
            return True
        if self.network is not None and other.network is not None:
            return not _overlaps(self.network, other.network)
        if self.name is None or other.name is None:
            # Any host is among them, or names on one side and addresses on the other.
            return (self.name is not None and other.network is not None) or (
                other.name is not None and self.network is not None
            )
        if self.name.startswith(".") == other.name.startswith("."):
            return self.name != other.name
        wild, plain = (self.name, other.name) if self.name.startswith(".") else (other.name, self.name)
        return not plain.endswith(wild)


def canonical_endpoint(text: str) -> str:
    """Return the resource that an argument names: host and port, of an address or of an `http` or `https` URL.

    Raises:
        ValueError: It names none.

    >>> canonical_endpoint("https://API.example.org/a"), canonical_endpoint("db.example.org:5432")
    ('api.example.org:443', 'db.example.org:5432')
    """
    return str(WebAddress.parse(text).endpoint if "://" in text else Endpoint.parse(text))


def _endpoint(resource: str) -> Endpoint | None:
    try:
        return _read(resource)
    except ValueError:
        return None


def _holds(network: IPNetwork, address: IPAddress) -> bool:
    # An address with a zone is one of an interface of this machine, which no network names.
    return getattr(address, "scope_id", None) is None and address in network


def _overlaps(one: IPNetwork, other: IPNetwork) -> bool:
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)
