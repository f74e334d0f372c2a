from __future__ import annotations

import pytest

from mcp_server.security.permissions.toml_line_locator import TomlLineLocator

DOCUMENT = '''# comment [not.a.table]
version = 1

[ceiling]  # trailing
allow = ["FILE_READ /a/**", 'x#y',
  # a comment, with "quotes" and ]
  """multi
line ]""", "after\\" ]",
]
deny = []
[client."the one"]
folders = [ ["nested", "b"], { key = "v", other = [1,
  2] } ]
limits = { calls_per_minute = 5, deep.er = true }
[[table]]
a = 1
[[table]]
a = 2
b . c = 2020-01-01T00:00:00Z
last = """"quoted"""""
'literal key' = \'\'\'raw \\\'\'\'
after = -1.5e3'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("version",), 2),
        (("ceiling",), 4),
        (("ceiling", "allow"), 5),
        (("ceiling", "allow", 0), 5),
        (("ceiling", "allow", 1), 5),
        (("ceiling", "allow", 2), 7),
        (("ceiling", "allow", 3), 8),
        (("ceiling", "deny"), 10),
        (("client", "the one"), 11),
        (("client", "the one", "folders", 0, 1), 12),
        (("client", "the one", "folders", 1, "other", 1), 13),
        (("client", "the one", "limits", "deep", "er"), 14),
        (("table", 1), 17),
        (("table", 1, "a"), 18),
        (("table", 1, "b", "c"), 19),
        (("table", 1, "literal key"), 21),
        (("table", 1, "after"), 22),
    ],
)
def test_lines(path: tuple[str | int, ...], line: int) -> None:
    assert TomlLineLocator(DOCUMENT).line_of(*path) == line


def test_what_is_not_there_has_the_line_of_what_holds_it() -> None:
    locator = TomlLineLocator(DOCUMENT)
    assert locator.line_of("ceiling", "ask", 3) == 4
    assert locator.line_of("nothing") is None
    assert locator.line_of() is None


@pytest.mark.parametrize(
    "text", ["", "#", "[", "a", "a =", 'a = "', "a = [", "a = '''", "[[", "\n\n", "a = " + "[" * 9999]
)
def test_what_is_no_document_is_survived(text: str) -> None:
    assert TomlLineLocator(text).line_of("b") is None


def test_carriage_returns_do_not_count() -> None:
    assert TomlLineLocator("a = 1\r\n\r\nb = 2\r\n").line_of("b") == 3
