"""URI templates: refused at registration, or read backwards into values that are safe and say what the URI said."""

from __future__ import annotations

import re

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.tools.uri_template import MAX_URI_CHARACTERS, URITemplate

name = "uri_template"

corpus = (
    b"note://{name}\nnote://a",
    b"file://{+path}\nfile:///srv/desk/a%20b.txt",
    b"file://{+path}?offset={offset}\nfile:///a?offset=10",
    b"note://{folder}/{+path}/info/{id}\nnote://in/a/b/info/3",
    b"note://{a}-{b}.txt\nnote://x-y-z.txt",
    b"note://{name}\nnote://..%2Fsecret",
    b"note://{+path}\nnote://a/%2e%2e/b",
    "note://{name}\nnote://caf%C3%A9/\u00e9".encode(),
    b"x:{a}.{b}.{+c}.{d}.{e}\nx:1.2.3.4.5.6.7",
    b"note://{name}\nnote://%00%0a%zz",
)

SHORT = 200
"""How long a URI may be for the comparison, whose pattern holds every spelling of every character."""


def run(data: bytes) -> None:
    """Read the first line as a template, and the rest as a URI of it."""
    text, _, uri = data.decode("utf-8", "replace").partition("\n")
    try:
        template = URITemplate(text)
    except ConfigurationError:
        return
    assert len(template.specificity) == 3
    reserved = {each for each in template.variables if f"{{+{each}}}" in text}
    assert len(reserved) <= 1
    for absolute in (frozenset[str](), frozenset(template.variables)):
        values = template.match(uri, may_be_absolute=absolute)
        if values is None:
            continue
        assert len(uri) <= MAX_URI_CHARACTERS
        assert tuple(values) == template.variables
        for variable, value in values.items():
            assert value
            assert value.isprintable() or not any(ord(each) < 0x20 or each == "\x7f" for each in value)
            assert "\\" not in value
            assert not {".", ".."} & set(value.split("/"))
            assert "/" not in value or variable in reserved
            assert not value.startswith("/") or variable in absolute
        if len(uri) <= SHORT:
            assert re.fullmatch(_spellings(text, values), uri, re.DOTALL)


def _spellings(text: str, values: dict[str, str]) -> str:
    """Return a pattern of all URIs that the template makes of these values."""
    parts = re.split(r"\{\+?([A-Za-z0-9_]+)\}", text)
    return "".join(
        "".join(map(_spelling, values[part])) if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )


def _spelling(character: str) -> str:
    escapes = "".join(f"%{byte:02x}" for byte in character.encode())
    return f"(?:{re.escape(character)}|(?i:{escapes}))"
