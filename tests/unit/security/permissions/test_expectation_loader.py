from __future__ import annotations

from pathlib import Path

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.expectation_loader import MAX_EXPECTATION_BYTES, read_expectations

ONE = '[[expect]]\nclient = "ada"\ntype = "FILE_READ"\nresource = "a.md"\neffect = "deny"\n'


def test_expectations_are_read_with_their_lines() -> None:
    policy, (first, second) = read_expectations(
        'policy = "desk.toml"\n' + ONE + ONE.replace("deny", "ask") + "at = 1970-01-01T01:00:00+01:00\n", source="t"
    )
    assert policy == "desk.toml"
    assert (first.client, str(first.type), first.resource, first.effect, first.at, first.line) == (
        "ada",
        "FILE_READ",
        "a.md",
        Effect.DENY,
        None,
        2,
    )
    assert (second.effect, second.at, second.line) == (Effect.ASK, 0.0, 7)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "expects nothing"),
        ("x = [", None, "is no TOML"),
        (ONE.replace("client", "clent"), 2, "did you mean 'client'"),
        (ONE.replace('client = "ada"\n', ""), 1, "'client' in .* is missing"),
        (ONE.replace('type = "FILE_READ"\n', ""), 1, "'type' in .* is missing"),
        (ONE.replace("FILE_READ", "FILE_REED"), 3, "unknown permission type"),
        (ONE.replace('"deny"', '"no"'), 5, "must be one of"),
        (ONE.replace('effect = "deny"\n', ""), 1, "'effect' in .* is missing"),
        (ONE.replace('"a.md"', "1"), 4, "must be a text"),
        (ONE + "at = 1970-01-01T00:00:00\n", 6, "with its zone"),
        (ONE + "at = 0001-01-01T00:00:00+14:00\n", 6, "between the years"),
        ("policy = 1\n" + ONE, 1, "must be a text"),
        ("expects = 1\n" + ONE, 1, "did you mean 'expect'"),
        ("#" * MAX_EXPECTATION_BYTES + "\n" + ONE, None, "larger than"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(text: str, line: int | None, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        read_expectations(text, source="desk.test.toml")
    assert (caught.value.source, caught.value.line) == ("desk.test.toml", line)


def test_the_example_of_the_reference_is_read() -> None:
    page = Path(__file__).parents[4] / "docs" / "reference" / "command-line.md"
    example = page.read_text(encoding="utf-8").partition('```text\npolicy = "')[2].partition("```")[0]
    policy, expected = read_expectations('policy = "' + example, source="page")
    assert policy == "desk.toml"
    assert [each.effect for each in expected] == [Effect.DENY, Effect.ALLOW]
