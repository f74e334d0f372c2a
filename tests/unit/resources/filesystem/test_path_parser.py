from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.errors.sandbox_violation_error import SandboxViolationError
from mcp_server.resources.filesystem.path_parser import MAX_NAME_BYTES, PathParser
from mcp_server.resources.filesystem.root import Root
from mcp_server.resources.filesystem.root_config import RootConfig


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (".", ()),
        ("./", ()),
        ("a", ("a",)),
        ("a/b", ("a", "b")),
        ("./a//b/./c/", ("a", "b", "c")),
        ("~", ("~",)),
        ("a\\b", ("a\\b",)),
        ("...", ("...",)),
        (" ", (" ",)),
        ("%2e%2e", ("%2e%2e",)),
    ],
)
def test_relative_paths(text: str, parts: tuple[str, ...], tmp_path: Path) -> None:
    assert PathParser([Root(RootConfig(tmp_path))]).parse(text).parts == parts


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "name"),
        ("a\0", "name"),
        ("..", "escape"),
        ("a/../b", "escape"),
        ("/etc", "escape"),
        ("\ud800", "name"),
        ("a/\udcff", "name"),
    ],
)
def test_refused_paths(text: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SandboxViolationError) as caught:
        PathParser([Root(RootConfig(tmp_path))]).parse(text)
    assert caught.value.reason == reason
    str(caught.value).encode()


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab./\\~\0\n%é\udcff .") | st.characters(), max_size=40))
def test_whatever_is_accepted_lies_below(text: str) -> None:
    root = Root(RootConfig("/usr"))
    try:
        location = PathParser([root]).parse(text)
    except SandboxViolationError as error:
        # It can be sent, whatever was in the path.
        str(error).encode()
        return
    assert location.root is root
    for part in location.parts:
        assert part not in ("", ".", "..")
        assert "/" not in part
        assert "\0" not in part
        assert len(part.encode()) <= MAX_NAME_BYTES
    # Parsing what came out changes nothing, so there is one name for a place.
    assert PathParser([root]).parse(location.relative).parts == location.parts
    assert PathParser([root]).parse(location.absolute).parts == location.parts
