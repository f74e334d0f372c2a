"""Completing arguments of prompts and variables of templates."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.completion_manager import CompletionManager
from mcp_server.tools.module import Module

PROMPT = {"type": "ref/prompt", "name": "haiku"}
TEMPLATE = {"type": "ref/resource", "uri": "note:///{name}"}


def module() -> Module:
    poems = Module("poems")

    @poems.prompt
    def haiku(topic: str, mood: str = "") -> str:
        return topic

    @poems.resource("note:///{name}")
    def note(name: str) -> str:
        return name

    @poems.completion("haiku", "topic")
    def topics(value: str, others: dict[str, str]) -> list[str]:
        return [f"{value}{index}{others.get('mood', '')}" for index in range(150)]

    @poems.completion("note:///{name}", "name")
    async def names(value: str, client: Any) -> list[str]:
        return [value + "!"]

    return poems


def manager() -> CompletionManager:
    catalog = Catalog()
    catalog.register(module())
    return CompletionManager(catalog=catalog)


def complete(ref: Any, argument: Any, others: Any, context: Any) -> Any:
    async def run() -> Any:
        return await manager().plan_complete(ref, argument, others).execute(context)

    return asyncio.run(run())


def test_at_most_a_hundred_values(context: Any) -> None:
    result = complete(PROMPT, {"name": "topic", "value": "x"}, {"arguments": {"mood": "-sad"}}, context)
    assert (len(result.values), result.values[0], result.total, result.has_more) == (100, "x0-sad", 150, True)


def test_template_is_named_by_its_text_or_by_one_of_its_uris(context: Any) -> None:
    for uri in (TEMPLATE["uri"], "note:///a"):
        result = complete({**TEMPLATE, "uri": uri}, {"name": "name", "value": "v"}, None, context)
        assert result.values == ("v!",)


def test_argument_that_nobody_completes_has_no_values(context: Any) -> None:
    assert complete(PROMPT, {"name": "mood", "value": ""}, None, context).values == ()


def test_unknown_reference_is_unknown(context: Any) -> None:
    with pytest.raises(UnknownNameError):
        complete({"type": "ref/prompt", "name": "x"}, {"name": "a", "value": ""}, None, context)
    with pytest.raises(UnknownNameError):
        complete({"type": "ref/resource", "uri": "x://y"}, {"name": "a", "value": ""}, None, context)


@pytest.mark.parametrize(
    ("ref", "argument", "others"),
    [
        ({"type": "ref/tool", "name": "x"}, {"name": "a", "value": ""}, None),
        ({"type": "ref/prompt"}, {"name": "a", "value": ""}, None),
        (PROMPT, {"name": "a"}, None),
        (PROMPT, {"name": "a", "value": ""}, {"arguments": {"b": 1}}),
        (PROMPT, {"name": "a", "value": ""}, {"arguments": ["b"]}),
    ],
)
def test_form_is_checked(ref: Any, argument: Any, others: Any, context: Any) -> None:
    with pytest.raises(InvalidArgumentsError):
        complete(ref, argument, others, context)


def test_same_argument_completed_twice_is_refused() -> None:
    decorate = module().completion("haiku", "topic")
    with pytest.raises(ConfigurationError, match="twice"):
        decorate(lambda value: [value])
