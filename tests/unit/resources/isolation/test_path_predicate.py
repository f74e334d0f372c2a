"""The shape of a predicate."""

from __future__ import annotations

from mcp_server.resources.isolation.path_predicate import PathPredicate


def test_any_function_of_two_texts_is_one() -> None:
    predicate: PathPredicate = lambda absolute, relative: absolute.endswith(relative)  # noqa: E731 - the shortest one
    assert predicate("/srv/a", "a")
