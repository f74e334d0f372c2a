from __future__ import annotations

import hmac
from typing import Any

import pytest

from mcp_server.security.audit.argument_digester import ArgumentDigester
from mcp_server.security.audit.canonical_json import canonical_json

KEY = bytes(range(32))


def hashed(text: str) -> dict[str, Any]:
    data = text.encode()
    return {"hmac": hmac.new(KEY, data, "sha256").hexdigest(), "len": len(data)}


def digest(arguments: dict[str, Any], *plain: str) -> dict[str, Any]:
    return ArgumentDigester(KEY).digest(arguments, frozenset(plain))


def test_each_class_of_value() -> None:
    arguments = {
        "path": "a.txt",
        "n": 3,
        "x": 0.5,
        "on": True,
        "off": None,
        "text": "hé",
        "api_key": "k",
        "mode": "fast",
    }
    assert digest(arguments, "path", "mode") == {
        "path": "a.txt",
        "n": 3,
        "x": 0.5,
        "on": True,
        "off": None,
        "text": hashed("hé"),
        "api_key": {"omitted": "name"},
        "mode": "fast",
    }


def test_secret_name_wins_over_plain_and_over_every_type() -> None:
    assert digest({"token": "t", "password": 1234, "auth": {"a": "b"}}, "token", "password", "auth") == {
        name: {"omitted": "name"} for name in ("auth", "password", "token")
    }


def test_nested_values_are_sorted_out_one_by_one() -> None:
    arguments = {"edits": [{"path": "a", "text": "t", "secret": "s"}], "paths": ["p", "q"], "other": ["r"]}
    assert digest(arguments, "edits.path", "paths") == {
        "edits": [{"path": "a", "secret": {"omitted": "name"}, "text": hashed("t")}],
        "other": [hashed("r")],
        "paths": ["p", "q"],
    }


def test_secret_in_a_plain_text_is_hashed_and_named() -> None:
    url = "https://user:hunter2@example.org/"
    assert digest({"url": url}, "url") == {"url": hashed(url) | {"looks_like": "url_password"}}


def test_known_value_can_be_found_again() -> None:
    digester = ArgumentDigester(KEY)
    assert digester.digest({"text": "needle"})["text"]["hmac"] == digester.hash_value("needle")
    assert ArgumentDigester(bytes(32)).hash_value("needle") != digester.hash_value("needle")


def test_members_stand_in_canonical_order() -> None:
    assert list(digest({"b": 1, "a": 2})) == ["a", "b"]


@pytest.mark.parametrize(
    "value",
    [
        2**60,
        [2**60],
        {"a": 2**60},
        float("nan"),
        [float("inf")],
        "\ud800",
        ["\ud800"],
        {"\ud800": "\ud800"},
        b"x",
        {1, 2},
        [[[[[[[[[[["deep"]]]]]]]]]]],
        list(range(1000)),
        {str(number): "x" for number in range(1000)},
    ],
    ids=lambda value: repr(value)[:20],
)
def test_awkward_value_still_has_a_digest(value: Any) -> None:
    for plain in ((), ("a",)):
        assert canonical_json(digest({"a": value}, *plain))


@pytest.mark.parametrize(
    "arguments",
    [
        {"a": "x" * 1_000_000},
        {f"n{number}": "x" * 4000 for number in range(30)},
        {f"{number:064}": "x" for number in range(32)},
        {"a" * 100_000: "x"},
        {"a": [["x" * 60] * 30] * 30},
        {"a": ["x" * 4000] * 30},
        {str(number): number for number in range(100_000)},
    ],
    ids=["long text", "many texts", "long names", "endless name", "nested", "long items", "many"],
)
@pytest.mark.parametrize("is_plain", [False, True])
def test_digest_fits_into_a_record(arguments: dict[str, Any], is_plain: bool) -> None:
    assert len(canonical_json(digest(arguments, *(arguments if is_plain else ())))) < 15 * 1024


def test_long_plain_text_is_replaced() -> None:
    text = "x" * 5000
    assert digest({"path": text}, "path") == {"path": hashed(text)}


def test_what_is_remembered_of_names_is_bounded() -> None:
    digester = ArgumentDigester(KEY)
    for number in range(3000):
        digester.digest({f"name{number}": 1})
    assert len(digester._known_names) <= 1024
