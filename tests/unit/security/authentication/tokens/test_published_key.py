from __future__ import annotations

import pytest

from mcp_server.security.authentication.key_sets.key_set import KeySet
from mcp_server.security.authentication.tokens.published_key import PublishedKey
from tests.support.tokens import ED_KEY


@pytest.mark.parametrize("replaced", [None, 7])
def test_its_entry_is_read_again_and_is_a_key_for_everybody(replaced: int | None) -> None:
    key = PublishedKey(ED_KEY.public_jwk(), 5, replaced)
    assert PublishedKey.from_jwk(key.to_jwk()) == key
    assert KeySet.of([key.to_jwk()]).select(key.key_id).thumbprint == ED_KEY.verification_key().thumbprint


@pytest.mark.parametrize("members", [{}, {"created": "5"}, {"created": True}, {"created": 5, "replaced": "7"}])
def test_a_key_without_times_is_none_of_ours(members: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="when it was made"):
        PublishedKey.from_jwk({**ED_KEY.public_jwk(), **members})
