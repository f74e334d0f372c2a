from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.key_sets.key_address import KeyAddress
from mcp_server.security.authentication.key_sets.key_set_fetcher import FETCH_LIMITS, KeySetFetcher
from mcp_server.security.authentication.key_sets.remote_key_source import RemoteKeySource
from tests.security.chain.fake_clock import FakeClock
from tests.support.tokens import ISSUER


def source() -> RemoteKeySource:
    return RemoteKeySource(
        name="as",
        issuer=ISSUER,
        address=KeyAddress("https://as.example/keys"),
        clock=FakeClock(),
        report=lambda kind, fields: None,
    )


class Client:
    """A client whose answers are made up."""

    def __init__(self, status: int, body: bytes) -> None:
        self.asked: list[tuple[str, str]] = []
        self._reply = SimpleNamespace(status=status, body=body)

    async def request(self, method: str, url: str, **settings: Any) -> Any:
        self.asked.append((method, url))
        return self._reply


def test_only_what_is_due_is_fetched() -> None:
    client = Client(200, b"{}")
    due, done = source(), source()
    done.begin()
    asyncio.run(KeySetFetcher(open_http=lambda limits: client).refresh([done, due]))  # type: ignore[arg-type,return-value] # stands for one
    assert client.asked == [("GET", "https://as.example/keys")]


@pytest.mark.parametrize("status", [204, 301, 304, 401, 404, 500])
def test_another_status_is_a_failure(status: int, caplog: pytest.LogCaptureFixture) -> None:
    client = Client(status, b'{"keys":[]}')
    asyncio.run(KeySetFetcher(open_http=lambda limits: client).refresh([source()]))  # type: ignore[arg-type,return-value] # as above
    assert f"status {status}" in caplog.text


def test_a_missing_package_is_a_failure_that_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def absent(limits: Any) -> Any:
        assert limits == FETCH_LIMITS
        raise ConfigurationError("requests over HTTP need a package: install the extra [http-client]")

    asyncio.run(KeySetFetcher(open_http=absent).refresh([source()]))
    assert "install the extra" in caplog.text


def test_a_bug_is_no_failure_of_the_issuer() -> None:
    def broken(limits: Any) -> Any:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        asyncio.run(KeySetFetcher(open_http=broken).refresh([source()]))
