"""A host and a port, in the one way to write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final, Self

IPAddress = IPv4Address | IPv6Address

MAX_HOST_CHARACTERS: Final = 253
"""The longest name that DNS carries, without the trailing dot. Source: RFC 1035, 2.3.4."""

MAX_PORT: Final = 65_535

# A label of a name. The underscore is no letter of a host's name by RFC 952, but of many that exist.
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.ASCII)
# What `inet_aton` reads as a part of an address: `127.1`, `0177.0.0.1`, `0x7f000001` and `2130706433` are all one.
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_PORT: Final = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a connection goes: a name or an address, and a port.

    There is one text for each: names in lower case, as A-labels, without a trailing dot; addresses as `ipaddress`
    writes them, an IPv4 address that is mapped into IPv6 as itself. What one resolver would read as an address and
    another as a name is neither.

    Made by `parse`; the fields are what it found.

    Args:
        host: The name, or the address without brackets.
        port: The port, from 1.

    >>> str(Endpoint.parse("API.Example.org.:443"))
    'api.example.org:443'
    >>> str(Endpoint.parse("[::ffff:127.0.0.1]:80"))
    '127.0.0.1:80'
    >>> Endpoint.parse("0x7f.1:80")
    Traceback (most recent call last):
    ValueError: the host is a number that is no address; write all four parts in decimal
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str, *, default_port: int | None = None) -> Self:
        """Return the endpoint that `host:port` or `[address]:port` writes.

        Args:
            text: The text.
            default_port: The port where the text has none; None where it must have one.

        Raises:
            ValueError: It is none, or could be read in two ways.
        """
        if text.startswith("["):
            host, bracket, port = text.partition("]")
            host += bracket
            if port and not port.startswith(":"):
                raise ValueError("what follows the address in brackets is no port")
            separator, port = port[:1], port[1:]
        else:
            host, separator, port = text.partition(":")
        if not separator and default_port is not None:
            return cls(canonical_host(host), default_port)
        if not _PORT.fullmatch(port) or int(port) > MAX_PORT:
            raise ValueError(f"the port must be a number from 1 to {MAX_PORT}, as in 'api.example.org:443'")
        return cls(canonical_host(host), int(port))

    @classmethod
    def of_address(cls, address: IPAddress, port: int) -> Self:
        """Return the endpoint of an address."""
        return cls(str(address), port)

    @property
    def address(self) -> IPAddress | None:
        """The address that is written out, None for a name."""
        if ":" in self.host:
            return IPv6Address(self.host)
        return IPv4Address(self.host) if _is_numeric(self.host) else None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def canonical_host(text: str) -> str:
    """Return the one way to write a host: an address without brackets, or a name of A-labels in lower case.

    Args:
        text: A name, an IPv4 address, or an IPv6 address in brackets.

    Raises:
        ValueError: It is none of them.

    Source: RFC 3986, 3.2.2; RFC 5890; the URL standard's "ends in a number" check, after which there is no guessing.

    >>> canonical_host("B\\u00fccher.example")
    'xn--bcher-kva.example'
    """
    if text.startswith("["):
        return _canonical_ipv6(text)
    if not text or len(text) > MAX_HOST_CHARACTERS + 1:
        raise ValueError(f"the host must have 1 to {MAX_HOST_CHARACTERS} characters")
    name = (text if text.isascii() else _to_a_labels(text)).lower().removesuffix(".")
    if _is_numeric(name):
        try:
            return str(IPv4Address(name))
        except ValueError:
            raise ValueError("the host is a number that is no address; write all four parts in decimal") from None
    if len(name) > MAX_HOST_CHARACTERS or not all(map(_LABEL.fullmatch, name.split("."))):
        raise ValueError("the host holds a character or a form that no name has")
    return name


def _canonical_ipv6(text: str) -> str:
    try:
        # A zone (`fe80::1%eth0`) is an interface of this machine, and nobody else's business.
        address = IPv6Address(text[1:-1]) if text.endswith("]") and "%" not in text else None
    except ValueError:
        address = None
    if address is None:
        raise ValueError("what stands in brackets must be an IPv6 address without a zone")
    return str(address if address.ipv4_mapped is None else address.ipv4_mapped)


def _is_numeric(name: str) -> bool:
    """Whether the last label is a number, so that the whole is an address or nothing."""
    return _NUMBER.fullmatch(name.rpartition(".")[2]) is not None


def _to_a_labels(text: str) -> str:
    """Return an internationalised name as DNS carries it.

    Only one that survives the way there and back: what the standards of 2003 and 2008 read differently, and what would
    turn into something else (full-width digits, ligatures, other dots), is refused, and can be written as A-labels.
    """
    name = back = ""
    try:
        name = text.encode("idna").decode("ascii")
        back = name.encode("ascii").decode("idna")
    except UnicodeError:
        pass
    if back != text.lower():
        raise ValueError("the host's name has no single spelling; write it in its 'xn--' form")
    return name
