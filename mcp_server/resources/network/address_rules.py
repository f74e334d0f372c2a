"""Which addresses may be connected to."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.permission_denied_error import PermissionDeniedError
from mcp_server.resources.network.address_kind import AddressKind
from mcp_server.resources.network.endpoint import Endpoint, IPAddress

IPNetwork = IPv4Network | IPv6Network

# Our own tables, for `ipaddress.is_private` and `is_global` have changed from one release of Python to the next. The
# first entry that holds an address decides. Source: the special-purpose address registries of IANA (RFC 6890), and what
# the clouds say of their metadata services.
_IPV4_KINDS: Final = tuple(
    (IPv4Network(text), kind)
    for text, kind in (
        ("169.254.169.254/32", AddressKind.METADATA),
        ("169.254.170.2/32", AddressKind.METADATA),
        ("100.100.100.200/32", AddressKind.METADATA),
        ("168.63.129.16/32", AddressKind.METADATA),
        ("192.0.0.192/32", AddressKind.METADATA),
        ("0.0.0.0/8", AddressKind.UNSPECIFIED),
        ("10.0.0.0/8", AddressKind.PRIVATE),
        ("100.64.0.0/10", AddressKind.SHARED),
        ("127.0.0.0/8", AddressKind.LOOPBACK),
        ("169.254.0.0/16", AddressKind.LINK_LOCAL),
        ("172.16.0.0/12", AddressKind.PRIVATE),
        ("192.0.0.0/24", AddressKind.RESERVED),
        ("192.0.2.0/24", AddressKind.DOCUMENTATION),
        ("192.88.99.0/24", AddressKind.RESERVED),
        ("192.168.0.0/16", AddressKind.PRIVATE),
        ("198.18.0.0/15", AddressKind.RESERVED),
        ("198.51.100.0/24", AddressKind.DOCUMENTATION),
        ("203.0.113.0/24", AddressKind.DOCUMENTATION),
        ("224.0.0.0/4", AddressKind.MULTICAST),
        ("240.0.0.0/4", AddressKind.RESERVED),
    )
)
_IPV6_KINDS: Final = tuple(
    (IPv6Network(text), kind)
    for text, kind in (
        ("fd00:ec2::254/128", AddressKind.METADATA),
        ("fd20:ce::254/128", AddressKind.METADATA),
        ("::/128", AddressKind.UNSPECIFIED),
        ("::1/128", AddressKind.LOOPBACK),
        # These four carry an IPv4 address, which is judged beside them; as themselves they are as good as any.
        ("::ffff:0:0/96", AddressKind.PUBLIC),
        ("64:ff9b::/96", AddressKind.PUBLIC),
        ("2001::/32", AddressKind.PUBLIC),
        ("2002::/16", AddressKind.PUBLIC),
        ("2001::/23", AddressKind.RESERVED),
        ("2001:db8::/32", AddressKind.DOCUMENTATION),
        ("3fff::/20", AddressKind.DOCUMENTATION),
        ("2000::/3", AddressKind.PUBLIC),
        ("fc00::/7", AddressKind.PRIVATE),
        ("fe80::/10", AddressKind.LINK_LOCAL),
        ("fec0::/10", AddressKind.PRIVATE),
        ("ff00::/8", AddressKind.MULTICAST),
        # Whatever has not been given to anybody, the translation prefix for local use (RFC 8215) among it.
        ("::/0", AddressKind.RESERVED),
    )
)

_COMPATIBLE: Final = IPv6Network("::/96")
_NAT64: Final = IPv6Network("64:ff9b::/96")
_ISATAP: Final = (0x00005EFE, 0x02005EFE)
_LOW_32: Final = 0xFFFF_FFFF


class AddressRules:
    """Decide by the address that is really connected to; names do not count here.

    What is not open to everybody is refused unless its network was granted. An IPv6 address that carries an IPv4
    address (mapped, compatible, 6to4, NAT64, Teredo, ISATAP) is judged as all that it stands for, and each must pass.

    Args:
        granted: Networks that may be connected to whatever they are, as CIDR or as single addresses.

    Raises:
        ConfigurationError: One of them is no network.

    >>> rules = AddressRules(granted=["10.0.0.0/8"])
    >>> rules.refused(IPv4Address("10.1.2.3")) is None, rules.refused(IPv6Address("64:ff9b::7f00:1"))
    (True, <AddressKind.LOOPBACK: 'loopback'>)
    """

    def __init__(self, *, granted: Iterable[str] = ()) -> None:
        try:
            self._granted: tuple[IPNetwork, ...] = tuple(map(ip_network, granted))
        except ValueError as error:
            raise ConfigurationError(f"a granted network is none: {error}") from error

    @staticmethod
    def kind(address: IPAddress) -> AddressKind:
        """Return the kind of one address as it stands, without what it carries.

        >>> AddressRules.kind(IPv4Address("169.254.169.254"))
        <AddressKind.METADATA: 'metadata'>
        """
        if isinstance(address, IPv4Address):
            return next((kind for network, kind in _IPV4_KINDS if address in network), AddressKind.PUBLIC)
        if address.scope_id is not None:
            return AddressKind.LINK_LOCAL
        return next(kind for network, kind in _IPV6_KINDS if address in network)

    @staticmethod
    def faces(address: IPAddress) -> tuple[IPAddress, ...]:
        """Return the address and all that it carries.

        >>> AddressRules.faces(IPv6Address("2002:7f00:1::"))
        (IPv6Address('2002:7f00:1::'), IPv4Address('127.0.0.1'))
        """
        if isinstance(address, IPv4Address):
            return (address,)
        if address.ipv4_mapped is not None:
            return (address.ipv4_mapped,)
        low = IPv4Address(int(address) & _LOW_32)
        carried: tuple[IPAddress, ...] = ()
        if address.sixtofour is not None:
            carried = (address.sixtofour,)
        elif address.teredo is not None:
            carried = address.teredo
        elif (
            address in _NAT64
            or (address in _COMPATIBLE and int(address) > 1)
            or int(address) >> 32 & _LOW_32 in _ISATAP
        ):
            carried = (low,)
        return (address, *carried)

    @classmethod
    def is_public(cls, address: IPAddress) -> bool:
        """Whether the address, and all that it carries, is open to everybody."""
        return all(cls.kind(face) is AddressKind.PUBLIC for face in cls.faces(address))

    def refused(self, address: IPAddress) -> AddressKind | None:
        """Return as what the address is refused, None when it may be connected to."""
        for face in self.faces(address):
            kind = self.kind(face)
            if kind is not AddressKind.PUBLIC and not self._is_granted(face):
                return kind
        return None

    def admit(self, endpoint: Endpoint, address: IPAddress) -> None:
        """Return when `endpoint` may be reached at `address`.

        Raises:
            PermissionDeniedError: It may not; the text names no address that was not written in the endpoint.
        """
        if self.refused(address) is not None:
            raise PermissionDeniedError(
                f"{str(endpoint)!r} leads to an address that is not public and was not granted",
                missing=[("NETWORK_CONNECT", str(endpoint))],
            )

    def _is_granted(self, address: IPAddress) -> bool:
        # A zone is an interface of this machine, which no network names.
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            return False
        return any(address in network for network in self._granted)
