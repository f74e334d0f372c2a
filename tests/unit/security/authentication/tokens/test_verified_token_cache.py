from __future__ import annotations

from mcp_server.security.authentication.tokens.verified_token import VerifiedToken
from mcp_server.security.authentication.tokens.verified_token_cache import VerifiedTokenCache

TOKEN = VerifiedToken("i", "s", "c", "t", issued_at=0, expires_at=60)


def test_an_entry_dies_with_its_token_and_with_its_epoch() -> None:
    cache = VerifiedTokenCache()
    for epoch, now, found in ((1, 59.9, TOKEN), (1, 60.0, None), (2, 59.0, None)):
        cache.put(b"d", 1, TOKEN)
        assert cache.get(b"d", epoch, now=now) is found
        assert len(cache) == (1 if found else 0)


def test_the_oldest_goes_when_there_are_too_many() -> None:
    cache = VerifiedTokenCache(max_entries=2)
    for digest in (b"a", b"b", b"b", b"c"):
        cache.put(digest, 1, TOKEN)
    assert [cache.get(each, 1, now=0) is not None for each in (b"a", b"b", b"c")] == [False, True, True]
    assert len(cache) == 2
