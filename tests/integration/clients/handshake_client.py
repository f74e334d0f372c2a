"""A client built on an old `mcp` package: does everything once, and prints what it saw as JSON.

It runs under the interpreter that has that package, so it imports nothing of this project. What a package does not know
yet is asked of its own signatures; the report then lacks it, and the test says which reports must have what.

    python handshake_client.py SERVER_COMMAND...
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from typing import Any

import mcp.types as types
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.shared.exceptions import McpError
from pydantic import AnyUrl

PATIENCE_SECONDS = 20.0


class Scenario:
    """One run of everything.

    Args:
        report: What was seen, by name.
    """

    def __init__(self, report: dict[str, Any]) -> None:
        self.report = report
        self.logged: list[list[Any]] = []
        self.progress: list[list[Any]] = []
        self.notified: list[str] = []
        self.news = asyncio.Condition()

    async def run(self, session: ClientSession) -> None:
        self.session = session
        initialized = await session.initialize()
        self.report["revision"] = initialized.protocolVersion
        self.report["server"] = initialized.serverInfo.name
        await session.send_ping()
        self.report["ping"] = True
        await self.tools()
        await self.failures()
        await self.resources()
        await self.prompts()
        await self.logging()
        await self.report_progress()
        await self.questions()
        await self.cancellation()
        await self.changes()

    async def tools(self) -> None:
        listed = await self.session.list_tools()
        self.report["tools"] = sorted(tool.name for tool in listed.tools)
        self.report["echo"] = await self.text("echo", {"text": "grüße 🎈"})
        self.report["note"] = await self.text("read_text_file", {"path": "note.txt"})
        added = await self.session.call_tool("add", {"a": 2, "b": 3})
        self.report["add"] = json.loads(added.content[0].text)
        self.report["structured"] = getattr(added, "structuredContent", None)
        for name in ("image", "audio", "link", "embedded"):
            result = await self.session.call_tool(name, {})
            self.report[name] = [block.type for block in result.content]

    async def failures(self) -> None:
        self.report["tool_error"] = (await self.session.call_tool("fail", {"kind": "tool_error"})).isError
        bug = await self.session.call_tool("fail", {"kind": "bug"})
        self.report["masked"] = bug.isError and "/etc/hidden" not in str(bug)
        self.report["unknown_tool"] = await self.code(self.session.call_tool("no_such_tool", {}))
        self.report["unknown_resource"] = await self.code(self.session.read_resource(AnyUrl("everything://nothing")))

    async def resources(self) -> None:
        listed = await self.session.list_resources()
        self.report["resources"] = sorted(str(each.uri) for each in listed.resources)
        templates = await self.session.list_resource_templates()
        self.report["templates"] = sorted(each.uriTemplate for each in templates.resourceTemplates)
        read = await self.session.read_resource(AnyUrl("everything://greeting"))
        self.report["greeting"] = read.contents[0].text
        read = await self.session.read_resource(AnyUrl("everything://city/Parma"))
        self.report["city"] = read.contents[0].text

    async def prompts(self) -> None:
        listed = await self.session.list_prompts()
        self.report["prompts"] = sorted(each.name for each in listed.prompts)
        made = await self.session.get_prompt("haiku", {"topic": "frogs"})
        self.report["haiku"] = made.messages[0].content.text
        reference = types.PromptReference(type="ref/prompt", name="haiku")
        completed = await self.session.complete(reference, {"name": "topic", "value": "f"})
        self.report["completed"] = completed.completion.values

    async def logging(self) -> None:
        await self.session.set_logging_level("error")
        await self.text("log", {"text": "loud"})
        await self.session.set_logging_level("info")
        self.report["logged"] = list(self.logged)

    async def report_progress(self) -> None:
        if "progress_callback" in inspect.signature(self.session.call_tool).parameters:

            async def keep(progress: float, total: float | None, *message: str | None) -> None:
                self.progress.append([progress, total])

            await self.session.call_tool("progress", {"steps": 3}, progress_callback=keep)
        else:
            meta = types.RequestParams.Meta(progressToken="a-token")
            params = types.CallToolRequestParams(name="progress", arguments={"steps": 3}, _meta=meta)
            request = types.ClientRequest(types.CallToolRequest(method="tools/call", params=params))
            await self.session.send_request(request, types.CallToolResult)
        self.report["progress"] = self.progress

    async def questions(self) -> None:
        self.report["sampled"] = await self.text("sample", {"prompt": "The answer?"})
        self.report["roots"] = await self.text("roots", {})
        asked = await self.session.call_tool("ask", {"question": "Who?"})
        self.report["asked"] = [asked.isError, asked.content[0].text]

    async def cancellation(self) -> None:
        # The package sends no cancellation by itself; the id of the next request is what its counter says.
        request_id = self.session._request_id
        call = asyncio.ensure_future(self.session.call_tool("hold", {"label": "mine"}))
        await self.until(lambda: ["info", "holding mine"] in self.logged)
        notification = types.CancelledNotification(
            method="notifications/cancelled", params=types.CancelledNotificationParams(requestId=request_id)
        )
        await self.session.send_notification(types.ClientNotification(notification))
        self.report["ended"] = await self.text("ended_labels", {})
        self.report["answered_after_cancel"] = call.done()
        call.cancel()
        await asyncio.wait([call])

    async def changes(self) -> None:
        await self.session.subscribe_resource(AnyUrl("everything://counter"))
        await self.text("increase", {})
        await self.text("change_lists", {})
        await self.until(lambda: len(self.notified) >= 4)
        self.report["notified"] = sorted(self.notified)

    async def text(self, name: str, arguments: dict[str, Any]) -> str:
        result = await self.session.call_tool(name, arguments)
        assert not result.isError, result
        return str(result.content[0].text)

    async def code(self, call: Any) -> int | None:
        try:
            await call
        except McpError as error:
            return int(error.error.code)
        return None

    async def until(self, condition: Any) -> None:
        async with self.news:
            await self.news.wait_for(condition)

    # What the server asks and tells

    async def sample(self, context: Any, params: Any) -> Any:
        content = types.TextContent(type="text", text="forty-two")
        return types.CreateMessageResult(role="assistant", content=content, model="a-model")

    async def elicit(self, context: Any, params: Any) -> Any:
        return types.ElicitResult(action="accept", content={"name": "Ada", "age": 36})

    async def list_roots(self, context: Any) -> Any:
        return types.ListRootsResult(roots=[types.Root(uri="file:///home/ada/project")])

    async def log(self, params: Any) -> None:
        async with self.news:
            self.logged.append([params.level, params.data])
            self.news.notify_all()

    async def message(self, message: Any) -> None:
        if isinstance(message, Exception):
            self.report.setdefault("unreadable", []).append(str(message))
        root = getattr(message, "root", None)
        method = getattr(root, "method", "")
        if method == "notifications/progress" and root.params.progressToken == "a-token":
            self.progress.append([root.params.progress, root.params.total])
        if method.endswith(("list_changed", "updated")):
            async with self.news:
                self.notified.append(method)
                self.news.notify_all()


async def main(command: list[str]) -> dict[str, Any]:
    report: dict[str, Any] = {}
    scenario = Scenario(report)
    parameters = StdioServerParameters(
        command=command[0], args=command[1:], env={**os.environ, "PYTHONPATH": os.environ["SERVER_PYTHONPATH"]}
    )
    abilities: dict[str, Any] = {
        "sampling_callback": scenario.sample,
        "list_roots_callback": scenario.list_roots,
        "logging_callback": scenario.log,
        "message_handler": scenario.message,
    }
    if "elicitation_callback" in inspect.signature(ClientSession.__init__).parameters:
        abilities["elicitation_callback"] = scenario.elicit
    async with asyncio.timeout(PATIENCE_SECONDS):
        async with stdio_client(parameters) as (read, write), ClientSession(read, write, **abilities) as session:
            await scenario.run(session)
    return report


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1:]))))
