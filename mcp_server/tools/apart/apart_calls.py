"""Calls of handlers in processes of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import TypeAdapter

from mcp_server.tools.completion_result import CompletionResult
from mcp_server.tools.prompt_result import PromptResult
from mcp_server.tools.tool_result import ToolResult
from mcp_server.tools.unset import UNSET

if TYPE_CHECKING:
    from mcp_server.resources.isolation.effect_ledger import EffectLedger
    from mcp_server.security.client_context import ClientContext
    from mcp_server.tools.apart.handler_place import HandlerPlace
    from mcp_server.tools.completion import Completion
    from mcp_server.tools.prompt import Prompt
    from mcp_server.tools.published_resource import PublishedResource
    from mcp_server.tools.tool import Tool

EFFECTS_META: Final = "dev.mcpserver/effects"
"""The member of a result's `_meta` that says what became of the client's files."""

_PROGRAM: Final = """\
import sys
sys.path[:0] = {search_path!r}
from mcp_server.tools.handler_process import main
main()
"""

# What a process may tell as a result: its words are a stranger's, so their form is looked at.
_BLOCKS: Final = TypeAdapter(tuple[dict[str, Any], ...])
_COMPLETION: Final = TypeAdapter(CompletionResult)


async def call_tool(
    tool: Tool, place: HandlerPlace, arguments: Mapping[str, Any], context: ClientContext
) -> ToolResult:
    """Return what a tool's handler returns, with what became of the client's files.

    Raises:
        TypeError: The process told what is no result, or what the tool's output schema does not allow.
    """
    told, ledger = await _ask("tool", tool.name, place, context, arguments=dict(arguments))
    blocks = _BLOCKS.validate_python(told["content"])
    if not all(isinstance(block.get("type"), str) for block in blocks):
        raise TypeError("a content block without a type")
    is_error = told["is_error"] is True
    structured = told.get("structured", UNSET)
    if tool.contract.has_output and not is_error:
        problems = tool.contract.output_problems(None if structured is UNSET else structured)
        if problems:
            raise TypeError(f"the handler's result does not fit the tool's output schema: {'; '.join(problems)}")
    meta = dict(told["meta"] or {})
    if len(ledger):
        meta[EFFECTS_META] = ledger.to_wire()
    return ToolResult(blocks, UNSET if is_error else structured, is_error, meta or None)


async def call_prompt(
    prompt: Prompt, place: HandlerPlace, arguments: Mapping[str, Any], context: ClientContext
) -> PromptResult:
    """Return the messages that a prompt's handler makes."""
    told, _ = await _ask("prompt", prompt.name, place, context, arguments=dict(arguments))
    return PromptResult(prompt.description or None, _BLOCKS.validate_python(told))


async def read_resource(
    resource: PublishedResource, place: HandlerPlace, uri: str, variables: Mapping[str, str], context: ClientContext
) -> tuple[dict[str, Any], ...]:
    """Return the contents that a resource's handler gives."""
    told, _ = await _ask("resource", resource.uri, place, context, uri=uri, variables=dict(variables))
    return _BLOCKS.validate_python(told)


async def subscribe(
    resource: PublishedResource, place: HandlerPlace, variables: Mapping[str, str], context: ClientContext
) -> None:
    """Tell a resource's handler of a subscription."""
    await _ask("subscription", resource.uri, place, context, variables=dict(variables))


async def complete(
    completion: Completion, place: HandlerPlace, value: str, arguments: Mapping[str, str], context: ClientContext
) -> CompletionResult:
    """Return what completes an argument."""
    key = [completion.reference, completion.argument]
    told, _ = await _ask("completion", key, place, context, value=value, arguments=dict(arguments))
    return _COMPLETION.validate_python(told)


async def _ask(
    kind: str, key: Any, place: HandlerPlace, context: ClientContext, **given: Any
) -> tuple[Any, EffectLedger]:
    question = {
        "kind": kind,
        "key": key,
        "module": place.module,
        "python_module": place.python_module,
        "file": place.file,
        "given": given,
    }
    code = (*place.code, *context.module_policy(place.module).code)
    search_path = [*place.search_path, *context.module_policy(place.module).code]
    return await context.apart.run(_PROGRAM.format(search_path=search_path), question, code=code)
