"""What kind of address an IP address is."""

from __future__ import annotations

from enum import StrEnum


class AddressKind(StrEnum):
    """Who can be reached at an address; all but `PUBLIC` are connected to only when granted by address.

    >>> AddressKind.LINK_LOCAL
    <AddressKind.LINK_LOCAL: 'link-local'>
    """

    PUBLIC = "public"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    SHARED = "shared"
    LINK_LOCAL = "link-local"
    METADATA = "metadata"
    MULTICAST = "multicast"
    UNSPECIFIED = "unspecified"
    DOCUMENTATION = "documentation"
    RESERVED = "reserved"
