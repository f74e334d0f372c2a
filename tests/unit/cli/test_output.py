from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from mcp_server.cli.output import Output


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def made(*, as_json: bool = False, terminal: bool = False) -> tuple[Output, io.StringIO, io.StringIO]:
    stream = Terminal() if terminal else io.StringIO()
    errors = io.StringIO()
    return Output(as_json=as_json, stream=stream, errors=errors), stream, errors


def test_lines_are_for_people_and_data_for_programs() -> None:
    output, stream, _ = made()
    output.line("hello")
    output.line()
    assert stream.getvalue() == "hello\n\n"
    output, stream, _ = made(as_json=True)
    output.line("hello")
    output.data({"ü": 1, "path": object})
    assert json.loads(stream.getvalue())["ü"] == 1


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "a\u202eb", "a\rb", "a\x07b", "a\u2028b", "a\x9bb"])
def test_what_a_terminal_would_obey_is_spelt_out(text: str) -> None:
    output, stream, errors = made()
    output.line(text)
    output.error(text)
    output.table(("x",), [(text,)])
    output.step(action="act", promise="allowed", seen=text, is_good=True)
    for shown in (stream.getvalue(), errors.getvalue()):
        assert text not in shown
        assert [each for each in shown if not each.isprintable() and each != "\n"] == []


def test_lines_of_a_text_stay_lines() -> None:
    output, stream, _ = made()
    output.line("one\ntwo")
    assert stream.getvalue() == "one\ntwo\n"


def test_an_error_is_beside_the_output_and_for_programs_in_it_too() -> None:
    output, stream, errors = made()
    output.error("no such folder")
    assert (stream.getvalue(), errors.getvalue()) == ("", "mcp-server: no such folder\n")
    output, stream, errors = made(as_json=True)
    output.error("no such folder")
    assert json.loads(stream.getvalue()) == {"error": "no such folder"}
    assert errors.getvalue() == "mcp-server: no such folder\n"


def test_a_table_is_a_list_of_objects_for_programs() -> None:
    output, stream, _ = made(as_json=True)
    output.table(("name", "cost"), [("a", 1), ("b", None)], title="ignored")
    assert json.loads(stream.getvalue()) == [{"name": "a", "cost": 1}, {"name": "b", "cost": None}]
    with pytest.raises(ValueError, match="shorter"):
        output.table(("name", "cost"), [("a",)])


@pytest.mark.parametrize("has_rich", [True, False])
def test_a_table_shows_every_cell_with_or_without_rich(monkeypatch: pytest.MonkeyPatch, has_rich: bool) -> None:
    if not has_rich:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    output, stream, _ = made()
    output.table(("name", "value"), [("a", ["x", "y"]), ("b", {"k": 1}), ("[bold]c", None), ("d", 4)], title="Title")
    shown = stream.getvalue()
    assert shown.startswith("Title")
    assert [word for word in ("name", '["x", "y"]', '{"k": 1}', "[bold]c", "d") if word not in shown] == []


def test_plain_columns_are_aligned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    output, stream, _ = made()
    output.table(("a", "long heading"), [("longer cell", "x"), ("y", "z")])
    assert stream.getvalue() == "a            long heading\nlonger cell  x\ny            z\n"


@pytest.mark.parametrize(("is_good", "mark"), [(True, "✓"), (False, "✗")])
def test_a_step_says_what_was_promised_and_what_was_seen(is_good: bool, mark: str) -> None:
    output, stream, _ = made()
    output.step(action="reads", promise="refused", seen="no\nsecond line", is_good=is_good)
    (line,) = stream.getvalue().splitlines()
    assert line.split() == [mark, "reads", "refused", "no"]


def test_a_step_has_colours_on_a_terminal_only_and_none_where_they_are_not_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def shown(**settings: Any) -> str:
        output, stream, _ = made(**settings)
        output.step(action="reads", promise="asked", seen="x" * 500, is_good=True)
        return stream.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" in shown(terminal=True)
    assert "\x1b[" not in shown()
    assert "…" in shown(terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in shown(terminal=True)
    assert shown(as_json=True) == ""
