"""Whatever a client sends as arguments, the digest is small, canonical and holds no text that was not bound."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mcp_server.security.audit.argument_digester import ArgumentDigester
from mcp_server.security.audit.canonical_json import canonical_json
from mcp_server.security.audit.record_formatter import escape_text

MARK = "secret canary"
TEXT = st.text(max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT.map(lambda text: MARK + text),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(TEXT, inner, max_size=20),
    max_leaves=40,
)


@given(st.dictionaries(TEXT, VALUES, max_size=8))
def test_digest_is_canonical_small_and_silent(arguments: dict[str, Any]) -> None:
    digest = ArgumentDigester(bytes(32)).digest(arguments)
    data = canonical_json(digest)
    assert len(data) < 15 * 1024
    assert MARK.encode() not in data


@given(st.dictionaries(TEXT, VALUES, max_size=5))
def test_order_of_arguments_does_not_matter(arguments: dict[str, Any]) -> None:
    turned = dict(reversed(arguments.items()))
    digester = ArgumentDigester(bytes(32))
    assert canonical_json(digester.digest(arguments)) == canonical_json(digester.digest(turned))


@given(
    arguments=st.dictionaries(
        st.sampled_from(["path", "text", "token", "größe"]),
        VALUES | st.text(st.characters()) | st.sampled_from(["sk-" + "a" * 30, "x" * 5000]),
        max_size=2,
    ),
    plain=st.sets(st.sampled_from(["path", "token", "größe"])),
)
def test_digest_is_encoded_as_its_canonical_form(arguments: dict[str, Any], plain: set[str]) -> None:
    digester = ArgumentDigester(bytes(32))
    assert digester.digest_json(arguments, plain) == canonical_json(digester.digest(arguments, plain))


@given(st.text())
def test_escaped_text_is_printable_and_says_what_was_there(text: str) -> None:
    escaped = escape_text(text)
    assert escaped.isprintable()
    assert escaped.encode("latin-1", "backslashreplace").decode("unicode_escape") == text
