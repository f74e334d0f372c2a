from __future__ import annotations

import pytest

from mcp_server.security.authentication.jose.strict_json import MAX_DEPTH, read_object


def test_a_plain_object_is_read() -> None:
    assert read_object(b'{"a": [1, -2.5, null, true, "x\\u00e9\xc3\xa9"], "b": {}}') == {
        "a": [1, -2.5, None, True, "xéé"],
        "b": {},
    }


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"[]", "no JSON object"),
        (b'"a"', "no JSON object"),
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a":1}x', "not JSON"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a":1,"\\u0061":1}', "twice"),
        (b'{"b":[{"a":1,"a":1}]}', "twice"),
        (b'{"a":NaN}', "no JSON"),
        (b'{"a":-Infinity}', "no JSON"),
        (b'{"a":1e999}', "too large"),
        (b'{"a":12345678901234567}', "too many digits"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\udc00":1}', "surrogate"),
        (b'{"a":["\\ud800"]}', "surrogate"),
        (b'{"a":[["\\ud83d\\ud83d"]]}', "surrogate"),
    ],
)
def test_what_two_readers_could_read_differently_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        read_object(data)


def test_a_pair_of_surrogates_is_a_character() -> None:
    assert read_object(b'{"a":"\\ud83d\\ude00"}') == {"a": "😀"}


def test_depth_is_bounded_before_anything_descends() -> None:
    deepest = b'{"a":' * MAX_DEPTH + b"1" + b"}" * MAX_DEPTH
    assert read_object(deepest)
    with pytest.raises(ValueError, match="deeper"):
        read_object(b'{"a":' + deepest + b"}")
    with pytest.raises(ValueError, match="deeper"):
        read_object(b"[" * 100_000)


def test_brackets_inside_texts_nest_nothing() -> None:
    assert read_object(b'{"a":"' + b"[{" * 100 + b'\\""}')["a"].startswith("[{")


def test_an_error_does_not_carry_what_was_read() -> None:
    for data in (b'{"secret":"swordfish"', b'{"secret":"swordfish\xff"}'):
        with pytest.raises(ValueError, match="not ") as caught:
            read_object(data)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__
        assert "swordfish" not in str(caught.value)
