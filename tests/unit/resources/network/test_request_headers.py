from __future__ import annotations

import pytest

from mcp_server.resources.network.request_headers import RequestHeaders


def lines(headers: RequestHeaders, **settings: int) -> dict[bytes, bytes]:
    return dict(headers.lines("a.example", **settings))


def test_names_are_in_lower_case_and_the_own_ones_first() -> None:
    assert RequestHeaders({"X-A": "b c\td"}).lines("a.example", body_bytes=3) == [
        (b"host", b"a.example"),
        (b"accept-encoding", b"gzip"),
        (b"connection", b"close"),
        (b"content-length", b"3"),
        (b"x-a", b"b c\td"),
    ]


def test_a_default_gives_way() -> None:
    assert lines(RequestHeaders({"Accept": "a/b"}).with_default("accept", "*/*"))[b"accept"] == b"a/b"
    assert lines(RequestHeaders({}).with_default("accept", "*/*"))[b"accept"] == b"*/*"


def test_another_origin_gets_nothing_that_could_be_a_credential() -> None:
    given = {"Accept": "a/b", "User-Agent": "u", "Authorization": "x", "X-Token": "x", "Cookie": "x", "Referer": "x"}
    assert set(lines(RequestHeaders(given).for_another_origin())) - set(lines(RequestHeaders({}))) == {
        b"accept",
        b"user-agent",
    }


def test_without_a_body_nothing_speaks_of_one() -> None:
    given = RequestHeaders({"Content-Type": "a/b", "Content-Language": "en", "X": "1"})
    assert not any(name.startswith(b"content-") for name in lines(given.without_body()))
    assert lines(given.without_body())[b"x"] == b"1"


@pytest.mark.parametrize("value", ["", "a", "a b", "a\tb", '"quoted"; q=1'])
def test_ordinary_values_are_sent(value: str) -> None:
    assert lines(RequestHeaders({"X": value}))[b"x"] == value.encode()


@pytest.mark.parametrize("value", [" s3cret", "s3cret ", "s3cret\n", "\x00", "\x7f", "\u00e9", "a" * 8193])
def test_other_values_are_refused_without_being_told(value: str) -> None:
    with pytest.raises(ValueError, match="header 'x'") as caught:
        RequestHeaders({"X": value})
    assert value not in str(caught.value)
