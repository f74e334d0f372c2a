from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors.authentication_error import AuthenticationError
from mcp_server.security.authentication.authenticators.certificate_authenticator import CertificateAuthenticator
from tests.support.authentication_rig import certificate, credentials, thumbprint
from tests.support.tokens import NOW


def examine(der: bytes | None, now: float = NOW) -> Any:
    return CertificateAuthenticator(clock=lambda: now).examine(credentials(certificate=der), None)


def test_the_names_are_read() -> None:
    der = certificate(uris=["spiffe://example/a"], hosts=["A.Example", "b.example"])
    found = examine(der)
    assert {("san_uri", "spiffe://example/a"), ("san_dns", "a.example"), ("san_dns", "b.example")} < found.facts
    assert [len(value) for name, value in found.facts if name == "spki_sha256"] == [64]
    assert (found.bound_certificate, found.valid_until, found.subject) == (
        thumbprint(der), NOW + 600, "spiffe://example/a",
    )  # fmt: skip
    assert all("admin" not in value for _, value in found.facts)


def test_without_a_certificate_there_is_no_evidence() -> None:
    assert examine(None) is None


@pytest.mark.parametrize("now", [NOW - 61, NOW + 600])
def test_out_of_its_time_it_is_refused(now: float) -> None:
    with pytest.raises(AuthenticationError) as caught:
        examine(certificate(), now)
    assert caught.value.reason == "certificate: expired, or not valid yet"


@pytest.mark.parametrize("der", [b"", b"x", b"0" * 20_000, certificate()[:-1]])
def test_what_is_no_certificate_is_refused(der: bytes) -> None:
    with pytest.raises(AuthenticationError) as caught:
        examine(der)
    assert caught.value.reason.startswith("certificate: malformed")
