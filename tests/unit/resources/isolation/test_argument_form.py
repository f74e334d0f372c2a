from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.resources.isolation.argument_form import MAX_ARGUMENTS, ArgumentForm


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ("", []),
        ("status --short", ["status", "--short"]),
        ("log -n {count:int}", ["log", "-n", "12"]),
        ("show {what:word}", ["show", "HEAD@"]),
        ("diff -- {files:path...}", ["diff", "--"]),
        ("diff -- {files:path...}", ["diff", "--", "a/b.txt", "c d.txt"]),
        ("commit -m {message:text}", ["commit", "-m", "two\nlines, $HOME `id` ; rm"]),
        ("say 'two words'", ["say", "two words"]),
    ],
)
def test_arguments_of_the_form_match(form: str, arguments: list[str]) -> None:
    assert ArgumentForm(form).matches(arguments)


@pytest.mark.parametrize(
    ("form", "arguments"),
    [
        ("status", ["status", "--short"]),
        ("status --short", ["status"]),
        ("log -n {count:int}", ["log", "-n", "-1"]),
        ("log -n {count:int}", ["log", "-n", "1x"]),
        ("log -n {count:int}", ["log", "-n", "\N{ARABIC-INDIC DIGIT ONE}"]),
        ("show {what:word}", ["show", "--output=x"]),
        ("show {what:word}", ["show", "a b"]),
        ("show {what:word}", ["show", ""]),
        ("diff -- {files:path...}", ["diff", "--", "../secret"]),
        ("diff -- {files:path...}", ["diff", "--", "a/../../secret"]),
        ("diff -- {files:path...}", ["diff", "--", "/etc/passwd"]),
        ("diff -- {files:path...}", ["diff", "--", "~/x"]),
        ("diff -- {files:path...}", ["diff", "--", ":(glob)**"]),
        ("diff -- {files:path...}", ["diff", "--", "--output=x"]),
        ("diff -- {files:path...}", ["diff", "--", ""]),
        ("commit -m {message:text}", ["commit", "-m", "a\0b"]),
        ("commit -m {message:text}", ["commit", "-m", "\x1b[2J"]),
        ("commit -m {message:text}", ["commit", "-m", "--amend"]),
        ("commit -m {message:text}", ["commit", "-m", "x" * 9000]),
        ("diff -- {files:path...}", ["diff", "--", *["a"] * MAX_ARGUMENTS]),
    ],
)
def test_arguments_of_another_form_do_not(form: str, arguments: list[str]) -> None:
    assert not ArgumentForm(form).matches(arguments)


@pytest.mark.parametrize("kind", ["int", "word", "path", "text"])
@given(rest=st.text())
def test_no_slot_takes_an_option(kind: str, rest: str) -> None:
    assert not ArgumentForm(f"{{x:{kind}}}").matches([f"-{rest}"])
    assert not ArgumentForm(f"{{x:{kind}...}}").matches(["a", f"-{rest}"])


@pytest.mark.parametrize("text", ["{x:file}", "{x}", "{x:int", "a}b", "{x:path...} more", "{X:int}", "'open"])
def test_what_is_no_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"slot|type|quotation"):
        ArgumentForm(text)
