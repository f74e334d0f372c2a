from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import Any

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.network.endpoint import Endpoint
from mcp_server.resources.network.name_resolver import MAX_ADDRESSES, NameResolver
from tests.support.web_rig import at_once

NAME = Endpoint("a.example", 443)


def resolved(found: Any, endpoint: Endpoint = NAME) -> list[str]:
    asked: list[Any] = []

    def look_up(*arguments: Any) -> Any:
        asked.append(arguments)
        if isinstance(found, Exception):
            raise found
        return [(0, 0, 0, "", (each, 443)) for each in found]

    addresses = asyncio.run(NameResolver(run_blocking=at_once, look_up=look_up).resolve(endpoint))
    assert asked in ([("a.example", 443, socket.AF_UNSPEC, socket.SOCK_STREAM)], [])
    return [str(each) for each in addresses]


def test_each_address_comes_once_and_in_order() -> None:
    assert resolved(["::1", "10.0.0.1", "::1", "fe80::1%2"]) == ["::1", "10.0.0.1", "fe80::1%2"]


def test_an_address_is_asked_nobody() -> None:
    assert resolved(AssertionError("asked"), Endpoint("127.0.0.1", 1)) == ["127.0.0.1"]


def test_there_is_a_most() -> None:
    assert len(resolved([str(ip_address(number)) for number in range(100)])) == MAX_ADDRESSES


@pytest.mark.parametrize("found", [[], socket.gaierror(-2, "unknown"), OSError(), UnicodeError("label too long")])
def test_a_name_without_address_is_missing(found: Any) -> None:
    with pytest.raises(ResourceUnavailableError, match=r"'a\.example:443'") as caught:
        resolved(found)
    assert caught.value.reason == "missing"


def test_the_machine_is_asked() -> None:
    addresses = asyncio.run(NameResolver(run_blocking=asyncio.to_thread).resolve(Endpoint("localhost", 80)))
    assert {str(each) for each in addresses} <= {"127.0.0.1", "::1"}
