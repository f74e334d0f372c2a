"""Hostile arguments, and the agreement of schema and validator."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Annotated, Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.argument_binding import bindings_of
from mcp_server.tools.content.text import Text
from mcp_server.tools.function_signature import FunctionSignature
from mcp_server.tools.schema_builder import SchemaBuilder
from mcp_server.tools.schema_validator import SchemaValidator
from mcp_server.tools.typed_contract import TypedContract
from mcp_server.tools.uri_template import URITemplate
from mcp_server.tools.written_contract import WrittenContract

NAMES = ("a", "b", "c", "d", "e", "f", "g", "path")

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**30), max_value=10**30)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["[1]", "{}", "true", "1e999", "[" * 100, "NaN", "\ud800", "x", "y", "9" * 5000])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
ARGUMENTS = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), VALUES, max_size=8)


def typed(
    a: int = 0,
    b: list[int] | None = None,
    c: Literal["x", "y"] | int = "x",
    d: dict[str, float] | None = None,
    e: bool | str = False,
    f: tuple[int, str] | list[Any] | None = None,
    g: Annotated[str, "a mark of somebody else"] | float | None = None,
) -> None: ...


TYPED = TypedContract("tool 't'", FunctionSignature.of(typed))
VALIDATE = SchemaBuilder(FunctionSignature.of(typed)).validator()
PLAUSIBLE = st.fixed_dictionaries(
    {},
    optional={
        "a": st.integers(),
        "b": st.none() | st.lists(st.integers(), max_size=3),
        "c": st.sampled_from(["x", "y", 3]) | SCALARS,
        "d": st.none() | st.dictionaries(st.text(max_size=2), st.integers() | st.floats(), max_size=2),
        "e": st.booleans() | st.text(max_size=3),
        "f": st.none() | st.tuples(st.integers(), st.text(max_size=2)).map(list) | st.lists(VALUES, max_size=3),
        "g": st.none() | st.text(max_size=3) | st.floats(allow_nan=False, allow_infinity=False) | SCALARS,
    },
)
TYPED_SCHEMA = SchemaValidator("tool 't'", TYPED.input_schema)
WRITTEN = WrittenContract(
    "tool 't'",
    {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "minimum": 0},
            "b": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
            "c": {"enum": ["x", 1, None]},
            "d": {"type": "object", "additionalProperties": {"type": "number"}},
            "e": {"type": "string", "pattern": "^(a+)+$"},
            "f": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        },
        "required": ["a"],
    },
)
BINDINGS = bindings_of([Permission(PermissionType.FILE_READ, argument=("path", "a.b", "c"))], {("path",): "."})


def problems(act: Callable[[], object]) -> tuple[str, ...]:
    """What was wrong, nothing when it was accepted; any other exception than the one meant for this gets out."""
    try:
        act()
    except InvalidArgumentsError as error:
        return error.problems or ("refused without a word",)
    return ()


@settings(max_examples=300)
@given(ARGUMENTS)
def test_hostile_arguments_are_accepted_or_refused_in_one_way(arguments: dict[str, Any]) -> None:
    for contract in (TYPED, WRITTEN):
        assert "refused without a word" not in problems(lambda: contract.prepare(arguments, None))  # noqa: B023


@settings(max_examples=400)
@given(PLAUSIBLE)
def test_the_schema_accepts_what_the_validator_accepts(arguments: dict[str, Any]) -> None:
    try:
        VALIDATE(to_json(arguments, inf_nan_mode="constants"))
    except ValueError:
        return
    assert TYPED_SCHEMA.problems(arguments) == []


def test_plausible_arguments_are_mostly_accepted() -> None:
    accepted = 0

    @settings(max_examples=200)
    @given(PLAUSIBLE)
    def count(arguments: dict[str, Any]) -> None:
        nonlocal accepted
        accepted += not problems(lambda: TYPED.prepare(arguments, None))

    count()
    assert accepted > 50


@settings(max_examples=300)
@given(ARGUMENTS)
def test_bound_values_are_texts_of_the_arguments_or_refused(arguments: dict[str, Any]) -> None:
    for binding in BINDINGS:
        if not problems(lambda: binding.needs(arguments)):  # noqa: B023
            assert all(isinstance(need.text, str) for need in binding.needs(arguments))


SECRET = st.text(alphabet=string.ascii_lowercase, min_size=12, max_size=20)


@settings(max_examples=100)
@given(st.sampled_from(["a", "b", "c", "d", "f"]), SECRET)
def test_no_refusal_quotes_a_value(name: str, secret: str) -> None:
    for contract in (TYPED, WRITTEN):
        for value in (secret, [secret], {"x": secret}):
            given_arguments = {"a": 1, name: value}
            assert secret not in "".join(problems(lambda: contract.prepare(given_arguments, None)))  # noqa: B023


@settings(max_examples=300)
@given(st.text(alphabet="ab/.%2eF5C\\-:{}", max_size=40), st.booleans())
def test_variables_of_a_template_never_leave_their_place(rest: str, is_reserved: bool) -> None:
    template = URITemplate("n://{+v}-{w}" if is_reserved else "n://{v}-{w}")
    values = template.match("n://" + rest)
    if values is not None:
        parts = values["v"].split("/")
        assert "\\" not in values["v"] + values["w"]
        assert ".." not in parts
        assert not values["v"].startswith("/")
        assert "/" not in values["w"]
        assert is_reserved or len(parts) == 1
        assert Text(values["v"]).to_wire()["text"]
