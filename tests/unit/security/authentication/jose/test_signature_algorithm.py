from __future__ import annotations

import pytest

from mcp_server.security.authentication.jose.signature_algorithm import SignatureAlgorithm


@pytest.mark.parametrize("name", ["none", "nOnE", "", "hs256", "HS512", "ES384", "Ed448", "eddsa", None, 1, ["RS256"]])
def test_what_is_not_listed_is_no_algorithm(name: object) -> None:
    with pytest.raises(ValueError, match="no allowed"):
        SignatureAlgorithm.named(name)


def test_only_the_secret_one_is_symmetric() -> None:
    assert [each for each in SignatureAlgorithm if each.is_symmetric] == [SignatureAlgorithm.HS256]
