from __future__ import annotations

import pytest

from mcp_server.security.authentication.jose.base64url import decode_base64url, encode_base64url


@pytest.mark.parametrize("data", [b"", b"a", b"ab", b"abc", bytes(range(256))])
def test_what_is_written_is_read_again(data: bytes) -> None:
    assert decode_base64url(encode_base64url(data)) == data


@pytest.mark.parametrize("text", ["YQ==", "YR", "YWJ", "Y", "YQ\n", " YQ", "Y Q", "+/+/", "ÿÿ", "YQ=", "a\u0660"])
def test_another_spelling_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="canonical"):
        decode_base64url(text)
