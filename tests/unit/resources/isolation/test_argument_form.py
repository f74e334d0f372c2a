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
        ("show {what:revision}", ["show", "HEAD@{1}^2~3:a/b.txt"]),
        ("log {range:revision}", ["log", "main..topic"]),
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
        ("show {what:revision}", ["show", "--output=x"]),
        ("show {what:revision}", ["show", "^HEAD;id"]),
        ("show {what:word}", ["show", "HEAD~2"]),
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


def test_a_choice_is_one_of_its_words() -> None:
    form = ArgumentForm("set {mode:on|off}")
    assert [form.matches(["set", word]) for word in ("on", "off", "", "on|off", "ON", "onoff")] == [
        True,
        True,
        *[False] * 4,
    ]


def test_a_name_is_of_letters_digits_and_few_signs() -> None:
    form = ArgumentForm("{x:name}")
    good = ("nginx", "getty@tty1", "www-data", "g++", "a.service", "_x", "7")
    assert all(form.matches([word]) for word in good)
    assert not any(
        form.matches([word]) for word in ("-a", ".a", "@a", "a/b", "a b", "", "a\n", "a" * 129, "é", "a=b", "a:b")
    )


def test_slots_are_told_and_filled_in_their_order() -> None:
    form = ArgumentForm("log -n {count:int} {side:left|right} -- {files:path...}")
    assert form.slots == (("count", "int"), ("side", "left|right"), ("files", "path..."))
    assert form.fill({"files": ["a", "b c"], "count": 3, "side": "left"}) == (
        "log",
        "-n",
        "3",
        "left",
        "--",
        "a",
        "b c",
    )
    assert form.fill({"files": [], "count": "3", "side": "left"}) == ("log", "-n", "3", "left", "--")
    assert form.fill({"files": "a", "count": 3, "side": "left"}) == ("log", "-n", "3", "left", "--", "a")


@given(
    st.dictionaries(
        st.sampled_from(["count", "side", "files", "more"]),
        st.one_of(st.text(), st.integers(), st.lists(st.text(), max_size=3), st.none(), st.booleans()),
    )
)
def test_what_is_filled_in_is_of_the_form(values: dict[str, object]) -> None:
    form = ArgumentForm("log -n {count:int} {side:left|right} -- {files:path...}")
    try:
        arguments = form.fill(values)
    except ValueError:
        return
    assert form.matches(arguments)


@pytest.mark.parametrize("kind", ["int", "name", "word", "path", "text"])
@given(rest=st.text())
def test_no_slot_takes_an_option(kind: str, rest: str) -> None:
    assert not ArgumentForm(f"{{x:{kind}}}").matches([f"-{rest}"])
    assert not ArgumentForm(f"{{x:{kind}...}}").matches(["a", f"-{rest}"])


@pytest.mark.parametrize(
    "text",
    [
        "{x:file}",
        "{x}",
        "{x:int",
        "a}b",
        "{x:path...} more",
        "{X:int}",
        "{x:-a|b}",
        "{x:a|}",
        "{x:|}",
        "{x:a}",
        "'open",
    ],
)
def test_what_is_no_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"slot|type|quotation"):
        ArgumentForm(text)
