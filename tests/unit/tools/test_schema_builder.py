"""Schemas of typed handlers, in the portable subset."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, Optional, TypedDict
from uuid import UUID

import pytest
from pydantic import BaseModel, Field

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.tools.function_signature import FunctionSignature
from mcp_server.tools.schema_builder import SchemaBuilder
from mcp_server.tools.typed_contract import TypedContract


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Mixed(Enum):
    ONE = 1
    TWO = "two"


@dataclass
class Point:
    x: int
    y: int = 0


class Options(TypedDict):
    depth: int
    name: NotRequired[str]


class Pair(NamedTuple):
    left: int
    right: str


class Node(BaseModel):
    value: int
    children: list[Node] = []


class Strict(BaseModel):
    name: str = Field(min_length=2, description="a name")


def everything(
    a: int,
    b: float,
    c: bool,
    d: str,
    e: int | None,
    f: Literal["x", "y"],
    g: Literal[1, 2],
    h: Color,
    i: Mixed,
    j: list[int],
    k: dict[str, int],
    l: tuple[int, str],  # noqa: E741
    m: datetime,
    n: date,
    o: UUID,
    p: bytes,
    q: Point,
    r: Options,
    s: Pair,
    t: Node,
    u: Strict,
    v: int | str | list[int],
    w: Any,
    x: Annotated[int, Field(ge=1, le=9, description="one digit")],
    y: Literal["x"] | None = None,
    z: list[Point] | None = None,
    aa: Optional[Color] = Color.RED,  # noqa: UP045
    ab: int = Field(default=3, description="with a field"),
    ac: set[str] = frozenset(),  # type: ignore[assignment]
    ad: list[Any] | dict[str, Any] | None = None,
) -> None: ...


VALUES: dict[str, Any] = {
    "a": 1,
    "b": 2,
    "c": True,
    "d": "text",
    "e": None,
    "f": "x",
    "g": 2,
    "h": "red",
    "i": 1,
    "j": [1],
    "k": {"n": 1},
    "l": [1, "a"],
    "m": "2026-01-31T09:30:00Z",
    "n": "2026-01-31",
    "o": "12345678-1234-5678-1234-567812345678",
    "p": "aGk=",
    "q": {"x": 1},
    "r": {"depth": 1},
    "s": [1, "r"],
    "t": {"value": 1, "children": [{"value": 2}]},
    "u": {"name": "ab"},
    "v": [1],
    "w": {"any": [None]},
    "x": 5,
}


def contract(function: Callable[..., Any]) -> TypedContract:
    return TypedContract("tool 't'", FunctionSignature.of(function))


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    yield schema
    for child in schema.get("properties", {}).values():
        yield from nodes(child)
    for keyword in ("items", "additionalProperties"):
        if isinstance(schema.get(keyword), dict):
            yield from nodes(schema[keyword])
    for branch in schema.get("anyOf", ()):
        yield from nodes(branch)


def test_schema_stays_in_the_portable_subset() -> None:
    schema = contract(everything).input_schema
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert "anyOf" not in schema
    for node in nodes(schema):
        assert "type" in node
        assert not node.keys() & {"$ref", "$defs", "const", "oneOf", "allOf", "title", "prefixItems", "discriminator"}
        assert all(isinstance(option, str) for option in node.get("enum", ()))
        assert node["type"] != "array" or "items" in node


def test_values_of_every_kind_arrive_as_python_values() -> None:
    _, named = contract(everything).prepare(VALUES, None)
    assert named["h"] is Color.RED
    assert named["l"] == (1, "a")
    assert named["m"].year == 2026
    assert named["p"] == b"hi"
    assert named["q"] == Point(1)
    assert named["s"] == Pair(1, "r")
    assert named["t"].children[0].value == 2
    assert "y" not in named
    assert named["ab"] == 3


def test_schema_accepts_what_the_validator_accepts() -> None:
    from mcp_server.tools.schema_validator import SchemaValidator

    assert SchemaValidator("tool 't'", contract(everything).input_schema).problems(VALUES) == []


def test_null_union_is_one_node() -> None:
    properties = contract(everything).input_schema["properties"]
    assert properties["e"] == {"type": ["integer", "null"]}
    assert properties["y"]["type"] == ["string", "null"]
    assert properties["aa"]["default"] == "red"
    assert properties["ab"] == {"type": "integer", "description": "with a field", "default": 3}
    assert properties["x"] == {"type": "integer", "description": "one digit", "maximum": 9, "minimum": 1}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("a", True, "'a' must be an integer"),
        ("a", 1.0, "'a' must be an integer"),
        ("b", True, "'b' must be a number"),
        ("c", 1, "'c' must be true or false"),
        ("c", "yes", "'c' must be true or false"),
        ("d", 3, "'d' must be a text"),
        ("f", "secret", "'f' must be one of 'x' or 'y'"),
        ("h", "secret", "'h' must be one of 'red' or 'blue'"),
        ("j", ["secret"], "'j[0]' must be an integer"),
        ("m", "secret", "'m' must be a date and time such as 2026-01-31T09:30:00Z"),
        ("o", "secret", "'o' must be a UUID"),
        ("p", "%secret%", "'p' must be base64 text"),
        ("q", {"x": 1, "secret": 2}, "'q.secret' is unknown"),
        ("r", {"depth": 1, "else": 2}, "'r.else' is unknown"),
        ("r", {}, "'r.depth' is missing"),
        ("u", {"name": "s"}, "'u.name' must have at least 2 characters"),
        ("v", 2.5, "'v' must be an integer; 'v' must be a text; 'v' must be an array"),
        ("x", 0, "'x' must be at least 1"),
        ("j", "[1, true]", "'j[1]' must be an integer"),
    ],
)
def test_refusal_names_field_and_rule_and_never_the_value(name: str, value: Any, sentence: str) -> None:
    with pytest.raises(InvalidArgumentsError) as caught:
        contract(everything).prepare({**VALUES, name: value}, None)
    assert str(caught.value) == sentence


def test_json_text_is_decoded_where_no_text_can_be_meant() -> None:
    given = {**VALUES, "a": "3", "j": "[1, 2]", "q": '{"x": 4}', "c": "false", "e": "null", "d": "[1]", "v": "[1]"}
    _, named = contract(everything).prepare(given, None)
    assert (named["a"], named["j"], named["q"], named["c"], named["e"]) == (3, [1, 2], Point(4), False, None)
    assert (named["d"], named["v"]) == ("[1]", "[1]")


def test_missing_and_unknown_arguments_are_told_together() -> None:
    def t(text: str, other: int) -> None: ...

    with pytest.raises(InvalidArgumentsError) as caught:
        contract(t).prepare({"txt": "secret"}, None)
    assert caught.value.problems == (
        "unknown argument 'txt'; did you mean 'text'?",
        "'text' is missing",
        "'other' is missing",
    )


def test_words_of_the_docstring_become_descriptions() -> None:
    def t(source: str, lines: int = 5, kind: Annotated[str, Field(description="own")] = "a") -> None:
        """Keep the first lines
        of a note.

        More words.

        Args:
            source: the note,
                by name
            lines (int): how many
            kind: not used

        Returns:
            source: nothing of this
        """

    signature = FunctionSignature.of(t)
    properties = SchemaBuilder(signature).input_schema()["properties"]
    assert signature.description == "Keep the first lines of a note."
    assert properties["source"] == {"type": "string", "description": "the note, by name"}
    assert properties["lines"] == {"type": "integer", "description": "how many", "default": 5}
    assert properties["kind"]["description"] == "own"


def test_return_type_of_an_object_becomes_an_output_schema() -> None:
    def model() -> Strict: ...  # type: ignore[empty-body]

    def typed() -> Options: ...  # type: ignore[empty-body]

    def table() -> dict[str, int]: ...  # type: ignore[empty-body]

    def text() -> str: ...  # type: ignore[empty-body]

    def loose() -> dict[str, Any]: ...  # type: ignore[empty-body]

    assert contract(model).output_schema == {
        "type": "object",
        "properties": {"name": {"type": "string", "description": "a name", "minLength": 2}},
        "required": ["name"],
    }
    typed_schema, table_schema = contract(typed).output_schema, contract(table).output_schema
    assert typed_schema is not None
    assert typed_schema["required"] == ["depth"]
    assert table_schema == {"type": "object", "additionalProperties": {"type": "integer"}}
    assert contract(text).output_schema is None
    assert contract(loose).output_schema is None


def test_alias_would_pass_a_bound_argument_by_and_is_refused() -> None:
    def t(path: Annotated[str, Field(alias="other")]) -> None: ...

    with pytest.raises(ConfigurationError, match="alias"):
        contract(t).check()


def test_error_of_a_validator_is_not_quoted() -> None:
    from pydantic import AfterValidator

    def refuse(value: str) -> str:
        raise ValueError(f"bad {value}")

    globals()["Refused"] = Annotated[str, AfterValidator(refuse)]

    def t(a: Refused) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(InvalidArgumentsError) as caught:
        contract(t).prepare({"a": "secret"}, None)
    assert str(caught.value) == "'a' breaks a rule of the tool"
    del globals()["Refused"]


def test_registering_does_not_import_pydantic_or_the_validator() -> None:
    program = (
        "import sys\n"
        "from mcp_server.tools.module import Module\n"
        "from mcp_server.tools.catalog import Catalog\n"
        "m = Module('m')\n"
        "@m.tool\n"
        "def add(a: int, b: int = 2) -> int: return a + b\n"
        "m.register_tool(name='t', description='d', input_schema={'type': 'object'}, handler=lambda c, p: None)\n"
        "c = Catalog(); c.register(m); c.tools()\n"
        "assert 'pydantic' not in sys.modules and 'jsonschema_rs' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
