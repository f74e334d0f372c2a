"""Getting prompts."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.tools.catalog import Catalog
from mcp_server.tools.content.image import Image
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.module import Module
from mcp_server.tools.prompt_argument import PromptArgument
from mcp_server.tools.prompt_manager import PromptManager
from mcp_server.tools.prompt_message import PromptMessage


def manager() -> PromptManager:
    module = Module("m")

    @module.prompt(title="Review", tags=["x"])
    async def review(code: str, style: str | None = None) -> list[Any]:
        """Review code.

        code: what to review
        """
        return [
            f"Review {code} {style}",
            PromptMessage("Gladly.", "assistant"),
            Image(b"i"),
            {"role": "user", "content": "x"},
        ]

    @module.prompt
    def plain() -> str:
        return "hello"

    @module.prompt
    def about(file: Annotated[str, Reads("*.md")]) -> str:
        return file

    catalog = Catalog()
    catalog.register(module)
    return PromptManager(catalog=catalog)


def get(name: str, arguments: Any, context: Any) -> Any:
    async def run() -> Any:
        return await manager().plan_get(name, arguments).execute(context)

    return asyncio.run(run())


def test_definition() -> None:
    assert manager().get("review").to_wire() == {
        "name": "review",
        "title": "Review",
        "description": "Review code.",
        "arguments": [{"name": "code", "description": "what to review", "required": True}, {"name": "style"}],
    }
    assert [prompt.name for prompt in manager().visible(lambda prompt: prompt.name != "plain")] == ["review", "about"]


def test_messages_of_every_kind(context: Any) -> None:
    result = get("review", {"code": "x"}, context)
    assert result.description == "Review code."
    assert result.messages == (
        {"role": "user", "content": {"type": "text", "text": "Review x None"}},
        {"role": "assistant", "content": {"type": "text", "text": "Gladly."}},
        {"role": "user", "content": {"type": "image", "data": "aQ==", "mimeType": "image/png"}},
        {"role": "user", "content": {"type": "text", "text": "x"}},
    )
    assert get("plain", None, context).messages[0]["content"]["text"] == "hello"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "'code' is missing"),
        ({"code": 3}, "'code' must be a text"),
        ({"code": "x", "styl": "y"}, "unknown argument 'styl'; did you mean 'style'"),
        ([], "must be an object"),
    ],
)
def test_arguments_are_checked(arguments: Any, words: str, context: Any) -> None:
    with pytest.raises(InvalidArgumentsError, match=words):
        get("review", arguments, context)


def test_bound_argument_is_needed() -> None:
    operation = manager().plan_get("about", {"file": "a.md"})
    assert [need.text for need in operation.needs] == ["a.md"]
    assert not operation.has_effects


def test_unknown_prompt_is_unknown() -> None:
    with pytest.raises(UnknownNameError, match="unknown prompt"):
        manager().plan_get("nope", {})


def test_listed_arguments_must_be_the_parameters() -> None:
    with pytest.raises(ConfigurationError, match="not the parameters"):

        @Module("m").prompt(arguments=[PromptArgument("other")])
        def p(a: str) -> str:
            return a
