"""Templates read backwards: what matches, what is safe, what is refused at registration."""

from __future__ import annotations

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.tools.uri_template import MAX_URI_CHARACTERS, URITemplate


@pytest.mark.parametrize(
    ("template", "uri", "values"),
    [
        ("test://template/{id}/data", "test://template/123/data", {"id": "123"}),
        ("note://{a}-{b}", "note://x-y-z", {"a": "x", "b": "y-z"}),
        ("note://{name}.txt", "note://a.txt.txt", {"name": "a.txt"}),
        ("note://{name}", "note://caf%C3%A9", {"name": "café"}),
        ("note://{+path}/info/{id}", "note://a/info/b/info/3", {"path": "a/info/b", "id": "3"}),
        ("note://{box}/{+path}.md", "note://in/a/b.md", {"box": "in", "path": "a/b"}),
        ("note://{+path}", "note://a%20b/c", {"path": "a b/c"}),
        ("note://{a}/{+p}/{b}/{c}.x", "note://1/2/3/4/5.x", {"a": "1", "p": "2/3", "b": "4", "c": "5"}),
    ],
)
def test_values_are_found(template: str, uri: str, values: dict[str, str]) -> None:
    assert URITemplate(template).match(uri) == values


@pytest.mark.parametrize(
    ("template", "uri"),
    [
        ("note://{name}", "note://"),
        ("note://{name}", "note://a/b"),
        ("note://{name}", "note://a%2Fb"),
        ("note://{name}", "note://a%5Cb"),
        ("note://{name}", "note://.."),
        ("note://{name}", "note://%2e%2E"),
        ("note://{name}", "note://a%00b"),
        ("note://{name}", "note://a%0Ab"),
        ("note://{name}", "note://a%zz"),
        ("note://{name}", "note://a%ff"),
        ("note://{name}", "other://a"),
        ("note://{name}/x", "note://a/y"),
        ("note://{+path}", "note:///etc/passwd"),
        ("note://{+path}", "note://a/../b"),
        ("note://{+path}", "note://a/%2e%2e/b"),
        ("note://{+path}", "note://./a"),
        ("note://{+path}", "note://a\\..\\b"),
        ("note://{+path}/x", "note://a"),
        ("note://{+path}/x/{id}", "note://a/x"),
        ("note://{name}", "note://" + "a" * MAX_URI_CHARACTERS),
    ],
)
def test_uri_that_is_not_the_templates_or_not_safe_is_none(template: str, uri: str) -> None:
    assert URITemplate(template).match(uri) is None


def test_reserved_variable_may_be_absolute_where_something_else_checks_it() -> None:
    template = URITemplate("file://{+path}")
    assert template.match("file:///a/b", may_be_absolute=frozenset({"path"})) == {"path": "/a/b"}
    assert template.match("file:///a/../b", may_be_absolute=frozenset({"path"})) is None


@pytest.mark.parametrize(
    "text",
    [
        "note://a",
        "note://{a}{b}",
        "note://{a}/{a}",
        "note://{+a}/{+b}",
        "note://{?q}",
        "note://{a",
        "n://{a*}",
        "n://{}",
    ],
)
def test_template_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        URITemplate(text)


def test_template_that_says_more_sorts_first() -> None:
    texts = ["note://{+path}", "note://{a}", "note://{a}/info", "note://{a}/{b}"]
    assert sorted(texts, key=lambda text: URITemplate(text).specificity) == [
        "note://{a}/info",
        "note://{a}/{b}",
        "note://{a}",
        "note://{+path}",
    ]
