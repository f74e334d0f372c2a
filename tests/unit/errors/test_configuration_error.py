from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError


@pytest.mark.parametrize(
    ("source", "line", "text"),
    [
        (None, None, "wrong"),
        ("desk.toml", None, "desk.toml: wrong"),
        ("desk.toml", 3, "desk.toml:3: wrong"),
        (None, 3, "wrong"),
    ],
)
def test_it_says_where_as_compilers_do(source: str | None, line: int | None, text: str) -> None:
    error = ConfigurationError("wrong", source=source, line=line)
    assert str(error) == text
    assert (error.source, error.line) == (source, line)
