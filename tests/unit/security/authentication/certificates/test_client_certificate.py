from __future__ import annotations

import pytest

from mcp_server.security.authentication.certificates.client_certificate import MAX_NAMES, ClientCertificate
from tests.support.authentication_rig import certificate, thumbprint
from tests.support.tokens import NOW


def test_what_is_decided_by_is_read() -> None:
    der = certificate(uris=["https://a.example/x", "urn:b"], hosts=["C.example"])
    found = ClientCertificate.parse(der)
    assert found.thumbprint == thumbprint(der)
    assert (found.uris, found.host_names) == (("https://a.example/x", "urn:b"), ("c.example",))
    assert (found.not_before, found.not_after) == (NOW - 60, NOW + 600)


def test_a_certificate_without_names_has_its_key() -> None:
    found = ClientCertificate.parse(certificate())
    assert (found.uris, found.host_names, len(found.key_digest)) == ((), (), 64)


@pytest.mark.parametrize(
    "uris", [["spiffe://a/x", "spiffe://b/y"], ["spiffe://a/x", "urn:b"], ["SPIFFE://a/x", "urn:b"]]
)
def test_a_spiffe_id_stands_alone(uris: list[str]) -> None:
    with pytest.raises(ValueError, match="beside another"):
        ClientCertificate.parse(certificate(uris=uris))


def test_the_number_of_names_is_bounded() -> None:
    hosts = [f"h{number}.example" for number in range(MAX_NAMES + 1)]
    assert len(ClientCertificate.parse(certificate(hosts=hosts[1:])).host_names) == MAX_NAMES
    with pytest.raises(ValueError, match="more than"):
        ClientCertificate.parse(certificate(hosts=hosts))


def test_a_large_certificate_is_not_parsed() -> None:
    with pytest.raises(ValueError, match="longer than"):
        ClientCertificate.parse(b"0" * 16_385)
