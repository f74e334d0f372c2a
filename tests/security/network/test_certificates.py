"""Attacks on TLS: the certificate proves the name, or there is no connection."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.network.endpoint import Endpoint
from tests.support.authority import Authority
from tests.support.loopback_server import LoopbackServer, ok
from tests.support.web_rig import LOOPBACK, WebRig


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def use(server_tls: ssl.SSLContext, host: str, *authorities: str) -> tuple[bytes, int]:
    """Return what a client gets that believes `authorities`, and how many requests the server saw."""

    async def get() -> tuple[bytes, int]:
        async with LoopbackServer(ok(b"proved"), tls=server_tls) as server:
            rig = WebRig({host: ["127.0.0.1"]}, granted=LOOPBACK, authorities=authorities)
            try:
                return (await rig.get(f"https://{host}:{server.port}/")).body, len(server.requests)
            except ResourceUnavailableError as error:
                if "does not prove its name" not in str(error):
                    raise
                return b"", len(server.requests)

    return asyncio.run(get())


def test_a_certificate_for_another_name_proves_nothing(authority: Authority) -> None:
    wrong, right = authority.server("other.example"), authority.server("api.example")
    assert use(wrong, "api.example", authority.pem) == (b"", 0)
    assert use(right, "api.example", authority.pem) == (b"proved", 1)


def test_a_client_that_checks_no_name_would_talk_to_it(authority: Authority) -> None:
    async def careless() -> bytes:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        async with LoopbackServer(ok(b"fooled"), tls=authority.server("other.example")) as server:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", server.port, ssl=context, server_hostname="api.example"
            )
            writer.write(b"GET / HTTP/1.1\r\nHost: api.example\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(careless()).endswith(b"fooled")


def test_a_context_that_checks_nothing_cannot_be_used(authority: Authority) -> None:
    contexts = [ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) for _ in range(2)]
    contexts[0].check_hostname = False
    contexts[1].check_hostname = False
    contexts[1].verify_mode = ssl.CERT_NONE
    rig = WebRig({"api.example": ["127.0.0.1"]}, granted=LOOPBACK)
    for context in contexts:
        with pytest.raises(ValueError, match="does not check"):
            asyncio.run(rig.connector.connect(Endpoint.parse("api.example:443"), rig.admit, tls=context))
    assert rig.resolved == []


def test_a_certificate_that_nobody_knows_proves_nothing(authority: Authority) -> None:
    assert use(authority.server("api.example"), "api.example") == (b"", 0)


def test_a_certificate_that_has_expired_proves_nothing(authority: Authority) -> None:
    assert use(authority.server("api.example", is_expired=True), "api.example", authority.pem) == (b"", 0)


def test_a_wildcard_stands_for_one_label(authority: Authority) -> None:
    wild = authority.server("*.api.example")
    assert use(wild, "a.api.example", authority.pem) == (b"proved", 1)
    assert use(wild, "a.b.api.example", authority.pem) == (b"", 0)


def test_an_address_is_proved_as_an_address(authority: Authority) -> None:
    assert use(authority.server("127.0.0.1"), "127.0.0.1", authority.pem) == (b"proved", 1)
    assert use(authority.server("api.example"), "127.0.0.1", authority.pem) == (b"", 0)


def test_a_server_without_tls_is_none_for_https() -> None:
    async def get() -> int:
        async with LoopbackServer(ok(b"plain"), speaks_first=True) as server:
            with pytest.raises(ResourceUnavailableError, match="does not speak TLS"):
                await WebRig(granted=LOOPBACK).get(f"https://127.0.0.1:{server.port}/")
            return len(server.requests)

    assert asyncio.run(get()) == 0


def test_keys_are_not_written_where_the_environment_says(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    assert use(authority.server("api.example"), "api.example", authority.pem) == (b"proved", 1)
    assert not log.exists()
    # The usual way to a context does write them.
    assert ssl.create_default_context().keylog_filename == str(log)
