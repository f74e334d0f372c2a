from __future__ import annotations

from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.policy_section import PolicySection
from mcp_server.security.permissions.toml_line_locator import TomlLineLocator


def section(table: Any) -> PolicySection:
    return PolicySection(table, path=("client", "ada"), source="desk.toml", locator=TomlLineLocator("[client.ada]"))


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"desk.toml:1: \[client.ada\] must be a table"):
        section(["a"])


def test_unknown_keys_are_refused_with_a_guess() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'deny'"):
        section({"dney": []}).check_keys(["allow", "deny"])
    with pytest.raises(ConfigurationError, match="known are allow, deny"):
        section({"zzz": []}).check_keys(["allow", "deny"])


@pytest.mark.parametrize("value", ["a", 1, None, {"a": 1}, ["a", 1], [["a"]]])
def test_only_lists_of_texts_are_lists_of_texts(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="must"):
        section({"allow": value}).texts("allow")


@pytest.mark.parametrize("value", [True, "1", 1.5, -1, 0, 101, 10**400])
def test_numbers_are_whole_and_within_bounds(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="whole number"):
        section({"n": value}).number("n", 5, least=1, most=100)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", True, 0.5])
def test_fractions_are_finite_and_within_bounds(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="a number"):
        section({"n": value}).number("n", 5.0, least=1, most=100)


def test_values_are_read() -> None:
    read = section({"n": 7, "f": 2, "word": "process", "inner": {"x": {}}})
    assert read.number("n", 5, least=1, most=100) == 7
    assert isinstance(read.number("f", 5.0, least=1, most=100), float)
    assert read.number("missing", 5, least=1, most=100) == 5
    assert read.text("word", "inline", choices=("inline", "process")) == "process"
    assert list(read.sections("inner")) == ["x"]
    assert "n" in read
    assert read.texts("missing") == []


@pytest.mark.parametrize("value", ["thread", 1, None, ["inline"]])
def test_a_choice_is_one_of_its_words(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be one of 'inline', 'process'"):
        section({"word": value}).text("word", "inline", choices=("inline", "process"))


def test_a_flag_is_true_or_false_and_nothing_like_it() -> None:
    assert section({"on": True}).flag("on", default=False) is True
    assert section({"on": False}).flag("on", default=True) is False
    assert section({}).flag("on", default=True) is True
    for value in (1, 0, "true", [], {}, 1.0):
        with pytest.raises(ConfigurationError, match=r"'on' in .* must be true or false"):
            section({"on": value}).flag("on", default=False)


def test_a_list_of_tables_is_read_one_by_one_with_its_lines() -> None:
    text = "[client.ada]\n[[client.ada.grant]]\na = 1\n[[client.ada.grant]]\nb = 2\n"
    found = PolicySection(
        {"grant": [{"a": 1}, {"b": 2}]}, path=("client", "ada"), source="desk.toml", locator=TomlLineLocator(text)
    ).tables("grant")
    assert [each.name for each in found] == ["[[client.ada.grant]]"] * 2
    assert [each.line_of() for each in found] == [2, 4]
    assert (found[1].line_of("b"), found[1].value("b"), found[1].value("a")) == (5, 2, None)
    assert section({}).tables("grant") == []


@pytest.mark.parametrize("value", ["a", 1, {"a": 1}, ["a"]])
def test_what_is_no_list_of_tables_is_refused(value: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be a"):
        section({"grant": value}).tables("grant")
