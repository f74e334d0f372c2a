from __future__ import annotations

import pytest

from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.network.http_reply import HttpReply


def reply(body: bytes, content_type: str = "", status: int = 200) -> HttpReply:
    return HttpReply(status, {"content-type": content_type} if content_type else {}, body, "https://a.example/")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("\u00e9".encode(), ""),
        ("\u00e9".encode(), "text/plain"),
        ("\u00e9".encode("latin-1"), "text/plain; charset=ISO-8859-1"),
        ("\u00e9".encode("utf-16"), 'text/plain; x=y; charset="UTF-16"'),
    ],
)
def test_text_is_in_the_encoding_that_it_says(body: bytes, content_type: str) -> None:
    assert reply(body, content_type).text() == "\u00e9"


@pytest.mark.parametrize(
    ("body", "content_type"), [(b"\xff", ""), (b"\xe9", "a/b; charset=ascii"), (b"", "a/b; charset=")]
)
def test_text_that_is_none_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(ResourceUnavailableError) as caught:
        reply(body, content_type).text()
    assert caught.value.reason == "not_text"


def test_success_is_200_to_299() -> None:
    assert [status for status in (199, 200, 204, 299, 301, 404) if reply(b"", status=status).is_success] == [
        200,
        204,
        299,
    ]


def test_what_it_says_is_not_in_its_name() -> None:
    assert "secret" not in repr(HttpReply(200, {"set-cookie": "secret"}, b"secret", "https://a.example/"))
