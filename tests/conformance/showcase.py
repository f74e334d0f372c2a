"""A module with one of everything the protocol can say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any, Final

from mcp_server.errors.tool_error import ToolError
from mcp_server.security.client_context import ClientContext
from mcp_server.security.permissions.permission import Permission
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.tools.content.audio import Audio
from mcp_server.tools.content.embedded_resource import EmbeddedResource
from mcp_server.tools.content.image import Image
from mcp_server.tools.content.resource_link import ResourceLink
from mcp_server.tools.content.text import Text
from mcp_server.tools.icon import Icon
from mcp_server.tools.markers.reads import Reads
from mcp_server.tools.module import Module
from mcp_server.tools.prompt_argument import PromptArgument
from mcp_server.tools.prompt_message import PromptMessage
from mcp_server.tools.tool_annotations import ToolAnnotations
from mcp_server.tools.tool_result import ToolResult

ICON: Final = Icon("https://example.org/icon.png", mime_type="image/png", sizes=("48x48",))
NOTES: Final = {"audience": ["user"], "priority": 0.5, "lastModified": "2026-01-31T12:00:00Z"}
FORBIDDEN: Final = Permission(PermissionType.S3_READ)
"""What no policy of these tests ever grants, so that what declares it is hidden."""

ANYTHING: Final = {"type": "object"}
NUMBERS: Final = {"type": "array", "items": {"$ref": "#/$defs/number"}, "$defs": {"number": {"type": "integer"}}}
COUNT: Final = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}
SECRET: Final = "the database password is hunter2, see /etc/shadow"


class Showcase:
    """The module, and what its handlers wait for and leave behind."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.began: list[str] = []
        self.ended: list[str] = []
        self.seen: list[Any] = []
        self.module = Module("showcase")
        self._add_plain_tools()
        self._add_failing_tools()
        self._add_long_tools()
        self._add_asking_tools()
        self._add_guarded_tools()
        self._add_prompts()
        self._add_resources()
        self._add_completions()

    def _written(self, name: str, handler: Any, schema: dict[str, Any] = ANYTHING, **options: Any) -> None:
        self.module.register_tool(
            name=name, description=f"Tool {name}.", input_schema=schema, handler=handler, **options
        )

    def _add_plain_tools(self) -> None:
        module = self.module

        @module.tool
        async def echo(text: str, times: int = 1) -> str:
            "Say it again."
            return text * times

        @module.tool
        def double(number: int) -> str:
            "Double a number, in a thread."
            return str(2 * number)

        async def numbers(client: Any, params: Any) -> Any:
            return [1, 2, 3]

        async def count(client: Any, params: Any) -> Any:
            return {"count": 7}

        async def free(client: Any, params: Any) -> Any:
            return {"free": True}

        async def nothing(client: Any, params: Any) -> Any:
            return ToolResult((Text("nothing"),), structured=None)

        async def wrong(client: Any, params: Any) -> Any:
            return {"count": SECRET}

        async def media(client: Any, params: Any) -> Any:
            return [
                Text("words", annotations=NOTES, meta={"example.org/x": 1}),
                Image(b"picture", annotations=NOTES),
                Audio(b"sound", annotations=NOTES),
                ResourceLink("note:///a", "a", title="The letter A", description="first", mime_type="text/plain"),
                EmbeddedResource("note:///b", "contents", meta={"example.org/x": 1}),
                EmbeddedResource("note:///c", b"bytes"),
            ]

        self._written("numbers", numbers, output_schema=NUMBERS)
        self._written("count", count, output_schema=COUNT)
        self._written("free", free)
        self._written("nothing", nothing, output_schema={"type": ["null", "string"]})
        self._written("wrong", wrong, output_schema=COUNT)
        self._written("media", media)
        self._written(
            "decorated",
            free,
            {
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {"a": {"$ref": "#/$defs/a"}, "b": True},
                "$defs": {"a": {"type": "integer"}},
                "anyOf": [{"required": ["a"]}, {"required": ["b"]}],
                "additionalProperties": False,
            },
            title="A decorated tool",
            output_schema={"type": "object"},
            icons=[ICON],
            annotations=ToolAnnotations(title="Decorated", read_only=True, open_world=False),
            meta={"example.org/level": 3},
        )

    def _add_failing_tools(self) -> None:
        async def fails(client: Any, params: Any) -> Any:
            raise ToolError("there is no such note; list_notes shows them")

        async def breaks(client: Any, params: Any) -> Any:
            raise ValueError(SECRET)

        async def loses(client: Any, params: Any) -> Any:
            waiting = asyncio.get_running_loop().create_future()
            waiting.cancel()
            await waiting

        async def cancels_itself(client: Any, params: Any) -> Any:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            if params["at_once"]:
                raise asyncio.CancelledError
            await self.gate.wait()

        async def exits(client: Any, params: Any) -> Any:
            raise SystemExit(3)

        async def denies(client: Any, params: Any) -> Any:
            return ToolResult((Text("not today"),), is_error=True, meta={"example.org/why": "closed"})

        self._written("fails", fails)
        self._written("breaks", breaks)
        self._written("loses", loses)
        self._written("exits", exits)
        self._written(
            "cancels_itself", cancels_itself, {"type": "object", "properties": {"at_once": {"type": "boolean"}}}
        )
        self._written("denies", denies)

    def _add_long_tools(self) -> None:
        async def slow(client: ClientContext, params: Any) -> Any:
            self.began.append("slow")
            if "progress" in params:
                client.progress(params["progress"])
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.ended.append("cancelled")
                raise
            self.ended.append("done")
            return "done"

        async def stubborn(client: ClientContext, params: Any) -> Any:
            self.began.append("stubborn")
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.ended.append("ignored")
            client.progress(99)
            client.log.error("still here")
            return "done anyway"

        async def late(client: ClientContext, params: Any) -> Any:
            self.seen.append(client)
            client.progress(1)
            return "left"

        async def steps(client: ClientContext, params: Any) -> Any:
            for progress, total, message in params["steps"]:
                client.progress(progress, total, message)
            return "done"

        def steps_in_thread(client: ClientContext, params: Any) -> Any:
            for number in range(1, 4):
                client.progress(number, 3)
                client.log.warning({"step": number})
            return "done"

        async def chatter(client: ClientContext, params: Any) -> Any:
            for level in ("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"):
                client.log(level, {"said": level})
            return "said"

        self._written("slow", slow, {"type": "object", "properties": {"progress": {"type": "number"}}})
        self._written("stubborn", stubborn)
        self._written("late", late)
        self._written("steps", steps, {"type": "object", "properties": {"steps": {"type": "array"}}})
        self._written("steps_in_thread", steps_in_thread)
        self._written("chatter", chatter)

    def _add_asking_tools(self) -> None:
        async def ask_name(client: ClientContext, params: Any) -> Any:
            self.began.append("ask_name")
            answer = await client.ask("What is your name?", {"name": str, "size": ["S", "L"]})
            self.seen.append(answer)
            return f"{answer.action} {dict(answer.content)}"

        async def ask_twice(client: ClientContext, params: Any) -> Any:
            first = await client.ask("First?", {"one": str})
            second = await client.ask(f"Second, after {first['one']}?", {"two": bool})
            return f"{first['one']} {second['two']}"

        async def ask_pages(client: ClientContext, params: Any) -> Any:
            answers = [await client.ask_url("Please sign in", f"https://example.org/{page}") for page in "ab"]
            return " ".join(answer.action for answer in answers)

        async def ask_choices(client: ClientContext, params: Any) -> Any:
            choices = {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}
            answer = await client.ask("Which?", {"which": choices})
            return answer.action

        async def ask_after_default(client: ClientContext, params: Any) -> Any:
            fields = {
                "size": {
                    "type": "string",
                    "oneOf": [{"const": "S", "title": "Small"}, {"const": "L", "title": "Large"}],
                    "default": "S",
                }
            }
            return (await client.ask("How large?", fields)).action

        async def sample(client: ClientContext, params: Any) -> Any:
            result = await client.sample("Be brief.", max_tokens=10, system_prompt="You are terse.", temperature=0.5)
            return result["content"]["text"]

        async def sample_tools(client: ClientContext, params: Any) -> Any:
            tool = {"name": "add", "inputSchema": {"type": "object"}}
            await client.sample("Add.", tools=[tool], toolChoice={"mode": "auto"})
            return "sampled"

        async def roots(client: ClientContext, params: Any) -> Any:
            return " ".join(root["uri"] for root in await client.roots())

        for handler in (ask_name, ask_twice, ask_pages, ask_choices, ask_after_default, sample, sample_tools, roots):
            self._written(handler.__name__, handler)

    def _add_guarded_tools(self) -> None:
        module = self.module

        @module.tool
        async def read_note(note: Annotated[Path, Reads("**")], client: ClientContext) -> str:
            "Read a file of the client's folder."
            self.began.append("read_note")
            return await client.files.read_text(note)

        @module.tool(permissions=[FORBIDDEN])
        async def hidden(text: str) -> str:
            "What nobody may use."
            return text

        async def ring(client: ClientContext, params: Any) -> Any:
            self.began.append("ring")
            return "ding"

        self._written("ring", ring, permissions=[Permission(PermissionType.custom("CUSTOM_BELL"))])

    def _add_prompts(self) -> None:
        module = self.module

        @module.prompt(
            title="Greeting",
            icons=[ICON],
            meta={"example.org/level": 3},
            arguments=[
                PromptArgument("name", "Whom to greet.", is_required=True, title="Name"),
                PromptArgument("tone", "How."),
            ],
        )
        async def greet(name: str, tone: str = "warm") -> str:
            "Greet somebody."
            return f"Write a {tone} greeting for {name}."

        @module.prompt
        async def scene() -> Any:
            "A prompt with more than words."
            return [
                PromptMessage(Text("look", annotations=NOTES)),
                PromptMessage(Image(b"picture"), role="assistant"),
                PromptMessage(Audio(b"sound")),
                PromptMessage(ResourceLink("note:///a", "a")),
                PromptMessage(EmbeddedResource("note:///b", "contents")),
            ]

        @module.prompt(permissions=[FORBIDDEN])
        async def hidden_prompt() -> str:
            "What nobody may use."
            return "no"

        @module.prompt
        async def about_note(note: Annotated[str, Reads("**")], client: ClientContext) -> str:
            "Talk about a file."
            return await client.files.read_text(note)

        @module.prompt
        async def asking_prompt(client: ClientContext) -> str:
            "Ask before making a prompt."
            answer = await client.ask("About what?", {"topic": str})
            return f"Write about {answer['topic']}."

        @module.prompt
        async def breaking_prompt() -> str:
            "What has a bug."
            raise ValueError(SECRET)

    def _add_resources(self) -> None:
        module = self.module

        @module.resource(
            "note:///a",
            title="Note A",
            mime_type="text/plain",
            size=5,
            annotations=NOTES,
            icons=[ICON],
            meta={"example.org/level": 3},
        )
        async def note_a() -> str:
            "The first note."
            return "the a"

        @module.resource("note:///several")
        async def several() -> Any:
            "Two parts."
            return [EmbeddedResource("note:///several/1", "one"), EmbeddedResource("note:///several/2", b"two")]

        @module.resource(
            "page:///{name}", title="Pages", mime_type="text/markdown", icons=[ICON], annotations=NOTES, meta={"a/b": 1}
        )
        async def page(name: str) -> str | None:
            "A page."
            return None if name == "missing" else f"# {name}"

        @module.resource("locked:///a", permissions=[FORBIDDEN])
        async def locked() -> str:
            "What nobody may read."
            return "no"

        @module.resource("disk:///{+note}")
        async def disk(note: Annotated[str, Reads("**")], client: ClientContext) -> str:
            "A file of the client's folder."
            return await client.files.read_text(note)

        @module.resource("asking:///a")
        async def asking(client: ClientContext) -> str:
            "Ask before reading."
            return f"about {(await client.ask('About what?', {'topic': str}))['topic']}"

    def _add_completions(self) -> None:
        module = self.module

        @module.completion("greet", "name")
        async def names(text: str, others: Any) -> list[str]:
            return [f"{text}{number:03}{others.get('tone', '')}" for number in range(150)]

        @module.completion("page:///{name}", "name")
        async def pages(text: str) -> list[str]:
            return [name for name in ("index", "intro", "news") if name.startswith(text)]

        @module.completion("hidden_prompt", "any")
        async def hidden_values(text: str) -> list[str]:
            return ["secret"]
