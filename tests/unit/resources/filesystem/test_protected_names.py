from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.filesystem.protected_names import PROTECTED_NAMES, ProtectedNames


def test_wild_patterns() -> None:
    names = ProtectedNames(["*.key", "conf?/**", "a/*/c"])
    assert names.covers(("x", "y.KEY"))
    assert names.covers(("conf1", "deep", "file"))
    assert names.covers(("conf1",))
    assert names.covers(("z", "a", "b", "c"))
    assert not names.covers(("a", "c"))
    assert names.leads_to(("z", "a", "b"))
    assert not names.leads_to(("z",))


@pytest.mark.parametrize("pattern", ["", "/", "**", "a/**/b", "/".join("abcdefghi")])
def test_bad_patterns(pattern: str) -> None:
    with pytest.raises(ConfigurationError):
        ProtectedNames([pattern])


@pytest.mark.parametrize("pattern", PROTECTED_NAMES)
def test_every_default_covers_what_it_names(pattern: str) -> None:
    names = ProtectedNames()
    parts = tuple(pattern.replace("**", "anything").split("/"))
    for path in (parts, ("deep", "er", *parts), tuple(part.upper() for part in parts)):
        assert names.covers(path)


@pytest.mark.parametrize(
    "path", ["a.txt", "src/.github/workflows/x.yml", "env", ".env.example", "git/config", "x.git/hooks/y"]
)
def test_ordinary_names_are_free(path: str) -> None:
    names = ProtectedNames()
    assert not names.covers(tuple(path.split("/")))
