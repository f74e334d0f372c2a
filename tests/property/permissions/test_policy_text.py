"""Whatever a policy file holds: a policy, or an error that names the file; nothing else."""

from __future__ import annotations

import tomllib

from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.permissions.toml_line_locator import TomlLineLocator

LOADER = PolicyLoader(home="/home/ada", realpath=lambda path: path, isdir=lambda path: "\0" not in path)
pieces = st.sampled_from(
    [
        *("version = 1\n", "[client.ada]\n", "[ceiling]\n", "[default_deny]\n", "[[client]]\n", 'folders = ["/n"]\n'),
        *(
            'allow = ["FILE_READ **"]\n',
            'deny = ["',
            '"]\n',
            "extra = [",
            "]",
            "limits = {",
            "}",
            "calls_per_minute = 1",
        ),
        *(",", "\n", "#", "'", '"""', "\\", "FILE_READ", "ada = ", "1979-05-27", "nan", "\ud800", "\0", "é", "=", "."),
        *("CODE_EXECUTION unrestricted", "tools"),
    ]
)
texts = st.one_of(
    st.lists(pieces, max_size=15).map("".join),
    st.lists(pieces, max_size=15).map(lambda found: "version = 1\n[client.ada]\n" + "".join(found)),
    st.text(max_size=60),
)


@settings(max_examples=1500)
@given(texts)
def test_no_text_breaks_the_loader(text: str) -> None:
    refusal = None
    try:
        policy = LOADER.parse(text, source="desk.toml", base="/home/ada")
    except ConfigurationError as error:
        refusal = error
    if refusal is None:
        assert len(policy.digest) == 64
    else:
        assert refusal.source == "desk.toml"
        assert refusal.line is None or 1 <= refusal.line <= text.count("\n") + 1


@settings(max_examples=1000)
@given(texts)
def test_no_text_breaks_the_locator(text: str) -> None:
    line = TomlLineLocator(text).line_of("client", "ada", "allow", 0)
    assert line is None or 1 <= line <= text.count("\n") + 1


keys = st.sampled_from(["a", "b", '"x y"', "'q'"])
values = st.recursive(
    st.sampled_from(["1", "'x#'", '"]\\""', "true", '"""\n"""', "1.5"]),
    lambda inner: st.lists(inner, max_size=3).map(lambda found: "[\n" + ",\n# ]\n".join(found) + "]"),
    max_leaves=6,
)


@settings(max_examples=400)
@given(st.lists(st.tuples(keys, values), unique_by=lambda pair: pair[0], max_size=4), keys)
def test_every_key_of_a_document_is_found_on_its_line(pairs: list[tuple[str, str]], table: str) -> None:
    text = f"[{table}]\n"
    expected = {}
    for key, value in pairs:
        expected[key.strip("\"'")] = text.count("\n") + 1
        text += f"{key} = {value} # end\n"
    tomllib.loads(text)
    locator = TomlLineLocator(text)
    assert {key: locator.line_of(table.strip("\"'"), key) for key in expected} == expected
