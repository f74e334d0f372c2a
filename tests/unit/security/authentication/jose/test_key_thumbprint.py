from __future__ import annotations

import pytest

from mcp_server.security.authentication.jose.key_thumbprint import key_thumbprint
from tests.support.tokens import vector


def test_published_thumbprints() -> None:
    values = vector("jose-rfcs", "small-values.json")
    assert key_thumbprint(values["rfc8037_thumbprint"]["jwk"]) == values["rfc8037_thumbprint"]["sha256_b64url"]
    assert key_thumbprint(values["rfc9449"]["jwk"]) == values["rfc9449"]["jkt"]


def test_members_that_are_not_the_key_do_not_count() -> None:
    jwk = vector("jose-rfcs", "small-values.json")["rfc8037_thumbprint"]["jwk"]
    assert key_thumbprint({**jwk, "kid": "x", "use": "sig"}) == key_thumbprint(jwk)


@pytest.mark.parametrize("jwk", [{}, {"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "P-256", "x": "AA"}, {"kty": 1}])
def test_what_is_no_public_key_has_none(jwk: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no public key"):
        key_thumbprint(jwk)
