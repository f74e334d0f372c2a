"""The official `mcp` 2.3 client, over a real pipe, in its three modes."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.subscriptions import PromptsListChanged, ResourcesListChanged, ResourceUpdated, ToolsListChanged

LEGACY = "2025-11-25"
MODERN = "2026-07-28"
MODES = {"legacy": LEGACY, "auto": MODERN, "2026-07-28": MODERN}
PATIENCE_SECONDS = 20.0

# The client warns of everything that 2026-07-28 deprecates, even where an older revision is spoken.
pytestmark = pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning")


class Human:
    """Answers what the server asks, and keeps what the server tells."""

    def __init__(self) -> None:
        self.answers: Iterator[types.ElicitResult] = iter(())
        self.questions: list[Any] = []
        self.prompts: list[Any] = []
        self.logged: list[tuple[str, Any]] = []
        self.heard: asyncio.Queue[Any] = asyncio.Queue()

    async def elicit(self, context: Any, params: Any) -> types.ElicitResult:
        self.questions.append(params)
        return next(self.answers)

    async def sample(self, context: Any, params: Any) -> types.CreateMessageResult:
        self.prompts.append(params)
        content = types.TextContent(type="text", text="forty-two")
        return types.CreateMessageResult(role="assistant", content=content, model="a-model", stop_reason="endTurn")

    async def roots(self, context: Any) -> types.ListRootsResult:
        return types.ListRootsResult(roots=[types.Root(uri="file:///home/ada/project", name="project")])

    async def log(self, params: Any) -> None:
        self.logged.append((params.level, params.data))

    async def message(self, message: Any) -> None:
        await self.heard.put(message)


def accept(**content: Any) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content=content)


Run = Callable[[Callable[[Client, Human], Awaitable[None]]], None]


@pytest.fixture(params=list(MODES))
def mode(request: pytest.FixtureRequest) -> str:
    """How the client negotiates."""
    return str(request.param)


@pytest.fixture
def is_modern(mode: str) -> bool:
    return MODES[mode] == MODERN


@pytest.fixture
def run(
    mode: str,
    tmp_path: Path,
    serve_command: Callable[[Path], list[str]],
    server_path: str,
    check_audit: Callable[[Path], None],
) -> Run:
    """Return what connects a client with all abilities, runs a scenario, and looks at the audit afterwards."""

    program, *arguments = serve_command(tmp_path)
    parameters = StdioServerParameters(command=program, args=arguments, env={"PYTHONPATH": server_path})

    @asynccontextmanager
    async def connected(human: Human) -> AsyncIterator[Client]:
        async with Client(
            parameters,
            mode=mode,
            elicitation_callback=human.elicit,
            sampling_callback=human.sample,
            list_roots_callback=human.roots,
            logging_callback=human.log,
            message_handler=human.message,
        ) as client:
            assert client.protocol_version == MODES[mode]
            yield client

    def run(scenario: Callable[[Client, Human], Awaitable[None]]) -> None:
        async def whole() -> None:
            human = Human()
            async with asyncio.timeout(PATIENCE_SECONDS), connected(human) as client:
                await scenario(client, human)

        asyncio.run(whole())
        check_audit(tmp_path)

    return run


def text(result: types.CallToolResult) -> str:
    assert not result.is_error, result
    assert result.content, result
    content = result.content[0]
    assert isinstance(content, types.TextContent)
    return content.text


async def next_heard(human: Human, kind: type[Any]) -> Any:
    while True:
        message = await human.heard.get()
        if isinstance(message, kind):
            return message


def test_every_kind_of_tool_result_arrives(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert {"echo", "add", "read_text_file", "list_allowed_directories"} <= set(tools)
        assert tools["echo"].title == "Echo"
        assert tools["echo"].annotations is not None
        assert tools["echo"].annotations.read_only_hint
        assert tools["add"].output_schema is not None
        assert text(await client.call_tool("echo", {"text": "grüße 🎈\n\u2028"})) == "grüße 🎈\n\u2028"
        assert (await client.call_tool("add", {"a": 2, "b": 3})).structured_content == {"sum": 5}
        weather = {"city": "Paris", "celsius": 21.5, "tags": ["sunny", "dry"]}
        assert (await client.call_tool("structured", {"city": "Paris"})).structured_content == weather

    run(scenario)


def test_every_kind_of_content_arrives(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        image = (await client.call_tool("image", {})).content[0]
        assert isinstance(image, types.ImageContent)
        assert base64.b64decode(image.data).startswith(b"\x89PNG")
        audio = (await client.call_tool("audio", {})).content[0]
        assert isinstance(audio, types.AudioContent)
        assert audio.mime_type == "audio/wav"
        link = (await client.call_tool("link", {})).content[0]
        assert isinstance(link, types.ResourceLink)
        assert str(link.uri) == "everything://greeting"
        first, embedded = (await client.call_tool("embedded", {})).content
        assert isinstance(first, types.TextContent)
        assert isinstance(embedded, types.EmbeddedResource)
        assert isinstance(embedded.resource, types.TextResourceContents)
        assert embedded.resource.text == "hello"

    run(scenario)


def test_files_are_read_inside_the_folder_and_nowhere_else(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        assert "a note" in text(await client.call_tool("read_text_file", {"path": "note.txt"}))
        refused = await client.call_tool("read_text_file", {"path": "../state/audit"})
        assert refused.is_error
        hidden = await client.call_tool("read_text_file", {"path": "/etc/passwd"})
        assert hidden.is_error
        assert "root:" not in str(hidden)

    run(scenario)


def test_failures_are_told_as_the_protocol_wants_them(run: Run, is_modern: bool) -> None:
    async def scenario(client: Client, human: Human) -> None:
        told = await client.call_tool("fail", {"kind": "tool_error"})
        assert told.is_error
        assert "try another" in str(told.content)
        for kind in ("bug", "exit"):
            masked = await client.call_tool("fail", {"kind": kind})
            assert masked.is_error
            assert "/etc/hidden" not in str(masked)
        misused = await client.call_tool("add", {"a": 1, "bb": 2})
        assert misused.is_error
        assert "did you mean 'b'" in str(misused.content)
        with pytest.raises(MCPError) as unknown_tool:
            await client.call_tool("no_such_tool", {})
        assert unknown_tool.value.code == -32602
        with pytest.raises(MCPError) as unknown_prompt:
            await client.get_prompt("no_such_prompt", {})
        assert unknown_prompt.value.code == -32602
        with pytest.raises(MCPError) as unknown_resource:
            await client.read_resource("everything://nothing")
        assert unknown_resource.value.code == (-32602 if is_modern else -32002)
        with pytest.raises(MCPError) as bad_cursor:
            await client.list_tools(cursor="made-up")
        assert bad_cursor.value.code == -32602
        # The connection lives on after all of this.
        assert text(await client.call_tool("echo", {"text": "still here"})) == "still here"

    run(scenario)


def test_resources_are_listed_read_and_completed(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        listed = {str(each.uri) for each in (await client.list_resources()).resources}
        assert {"everything://greeting", "everything://picture", "everything://counter"} <= listed
        templates = {each.uri_template for each in (await client.list_resource_templates()).resource_templates}
        assert "everything://city/{name}" in templates
        greeting = (await client.read_resource("everything://greeting")).contents[0]
        assert isinstance(greeting, types.TextResourceContents)
        assert (greeting.text, greeting.mime_type) == ("hello", "text/plain")
        picture = (await client.read_resource("everything://picture")).contents[0]
        assert isinstance(picture, types.BlobResourceContents)
        assert base64.b64decode(picture.blob).startswith(b"\x89PNG")
        city = (await client.read_resource("everything://city/Parma")).contents[0]
        assert isinstance(city, types.TextResourceContents)
        assert city.text == "Parma is a city"
        reference = types.ResourceTemplateReference(type="ref/resource", uri="everything://city/{name}")
        completed = await client.complete(reference, {"name": "name", "value": "Pa"})
        assert completed.completion.values == ["Paris", "Parma"]

    run(scenario)


def test_prompts_are_listed_made_and_completed(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        prompts = {each.name: each for each in (await client.list_prompts()).prompts}
        assert {"haiku", "conversation", "asking"} <= set(prompts)
        assert [(each.name, bool(each.required)) for each in prompts["haiku"].arguments or ()] == [
            ("topic", True),
            ("mood", False),
        ]
        made = await client.get_prompt("haiku", {"topic": "frogs"})
        assert isinstance(made.messages[0].content, types.TextContent)
        assert made.messages[0].content.text == "Write a calm haiku about frogs."
        conversation = (await client.get_prompt("conversation")).messages
        assert [each.role for each in conversation] == ["user", "user", "assistant"]
        assert isinstance(conversation[1].content, types.ImageContent)
        human.answers = iter([accept(topic="rain")])
        asked = await client.get_prompt("asking")
        assert isinstance(asked.messages[0].content, types.TextContent)
        assert asked.messages[0].content.text == "Write about rain."
        reference = types.PromptReference(type="ref/prompt", name="haiku")
        first = await client.complete(reference, {"name": "topic", "value": "f"})
        assert first.completion.values == ["frogs", "fog"]
        second = await client.complete(reference, {"name": "mood", "value": "wet "}, {"topic": "rain"})
        assert second.completion.values == ["wet rain"]
        with pytest.raises(MCPError) as missing:
            await client.get_prompt("haiku", {})
        assert missing.value.code == -32602

    run(scenario)


def test_handlers_ask_the_human(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        human.answers = iter(
            [
                accept(name="Ada", age=36),
                types.ElicitResult(action="decline"),
                types.ElicitResult(action="cancel"),
                accept(value="one"),
                accept(value="two"),
            ]
        )
        assert text(await client.call_tool("ask", {"question": "Who?"})) == "Ada is 36"
        assert human.questions[0].message == "Who?"
        assert human.questions[0].requested_schema["properties"]["age"] == {"type": "integer"}
        assert text(await client.call_tool("ask", {"question": "Who?"})) == "decline"
        assert text(await client.call_tool("ask", {"question": "Who?"})) == "cancel"
        assert text(await client.call_tool("ask_twice", {})) == "one two"
        assert [each.message for each in human.questions[3:]] == ["First?", "Second, after one?"]

    run(scenario)


def test_an_answer_that_does_not_fit_the_form_is_not_taken(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        human.answers = iter([accept(name="Ada", age="thirty-six")])
        refused = await client.call_tool("ask", {"question": "Who?"})
        assert refused.is_error
        assert "age" in str(refused.content)

    run(scenario)


def test_handlers_use_the_clients_model_and_see_its_roots(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        assert text(await client.call_tool("sample", {"prompt": "The answer?"})) == "a-model: forty-two"
        assert human.prompts[0].max_tokens == 100
        assert human.prompts[0].system_prompt == "Be short."
        assert human.prompts[0].messages[0].content.text == "The answer?"
        assert text(await client.call_tool("roots", {})) == "file:///home/ada/project"

    run(scenario)


def test_progress_arrives_in_order_and_before_the_result(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        seen: list[tuple[float, float | None, str | None]] = []

        async def report(progress: float, total: float | None, message: str | None) -> None:
            seen.append((progress, total, message))

        assert text(await client.call_tool("progress", {"steps": 5}, progress_callback=report)) == "5 steps"
        assert seen == [(step, 5, f"step {step}") for step in range(1, 6)]

    run(scenario)


def test_a_call_that_is_taken_back_ends(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        holding = asyncio.Event()

        async def report(progress: float, total: float | None, message: str | None) -> None:
            holding.set()

        call = asyncio.ensure_future(client.call_tool("hold", {"label": "mine"}, progress_callback=report))
        await holding.wait()
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        # The cancellation stands before this call on the pipe, so the handler has been ended by now.
        assert text(await client.call_tool("ended_labels", {})) == "mine"

    run(scenario)


def test_log_messages_arrive_from_the_level_that_was_asked_for(run: Run, is_modern: bool) -> None:
    async def scenario(client: Client, human: Human) -> None:
        if is_modern:
            assert text(await client.call_tool("log", {"text": "quiet"})) == "logged"
            assert human.logged == []
            meta: Any = {"io.modelcontextprotocol/logLevel": "error"}
            assert text(await client.call_tool("log", {"text": "loud"}, meta=meta)) == "logged"
        else:
            await client.set_logging_level("error")
            assert text(await client.call_tool("log", {"text": "loud"})) == "logged"
        assert human.logged == [("error", {"error": "loud"})]
        human.logged.clear()
        if is_modern:
            await client.call_tool("log", {"text": "all"}, meta={"io.modelcontextprotocol/logLevel": "debug"})
        else:
            await client.set_logging_level("debug")
            await client.call_tool("log", {"text": "all"})
        assert human.logged == [("debug", "debug all"), ("info", "info all"), ("error", {"error": "all"})]

    run(scenario)


def test_changes_are_told_to_who_listens(run: Run, is_modern: bool) -> None:
    async def legacy(client: Client, human: Human) -> None:
        await client.subscribe_resource("everything://counter")
        await client.call_tool("increase", {})
        updated = await next_heard(human, types.ResourceUpdatedNotification)
        assert str(updated.params.uri) == "everything://counter"
        await client.call_tool("change_lists", {})
        await next_heard(human, types.ToolListChangedNotification)
        await next_heard(human, types.PromptListChangedNotification)
        await next_heard(human, types.ResourceListChangedNotification)
        await client.unsubscribe_resource("everything://counter")
        await client.call_tool("increase", {})
        await client.call_tool("change_lists", {})
        told = [await human.heard.get() for _ in range(3)]
        assert not any(isinstance(each, types.ResourceUpdatedNotification) for each in told)

    async def modern(client: Client, human: Human) -> None:
        uris = ["everything://counter", "everything://nothing"]
        async with client.listen(
            tools_list_changed=True, prompts_list_changed=True, resources_list_changed=True, resource_subscriptions=uris
        ) as listener:
            assert listener.honored.resource_subscriptions == ["everything://counter"]
            await client.call_tool("increase", {})
            assert await anext(listener) == ResourceUpdated(uri="everything://counter")
            await client.call_tool("change_lists", {})
            heard = [await anext(listener) for _ in range(3)]
            assert {type(each) for each in heard} == {ToolsListChanged, PromptsListChanged, ResourcesListChanged}

    async def scenario(client: Client, human: Human) -> None:
        await (modern if is_modern else legacy)(client, human)
        assert text(await client.call_tool("echo", {"text": "done"})) == "done"

    run(scenario)


def test_a_new_tool_can_be_called_and_a_withdrawn_one_is_unknown(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        assert text(await client.call_tool("change_lists", {})) == "added"
        assert "added" in {tool.name for tool in (await client.list_tools()).tools}
        assert text(await client.call_tool("added", {})) == "added"
        assert text(await client.call_tool("change_lists", {})) == "withdrawn"
        with pytest.raises(MCPError, match="added"):
            await client.call_tool("added", {})

    run(scenario)


def test_many_calls_at_once_each_get_their_own_answer(run: Run) -> None:
    async def scenario(client: Client, human: Human) -> None:
        texts = [f"text {number}" for number in range(100)]
        results = await asyncio.gather(*(client.call_tool("echo", {"text": each}) for each in texts))
        assert [text(each) for each in results] == texts

    run(scenario)


def test_ping_is_answered_on_a_session(run: Run, is_modern: bool) -> None:
    async def scenario(client: Client, human: Human) -> None:
        if is_modern:
            # 2026-07-28 has no ping any more.
            with pytest.raises(MCPError) as unknown:
                await client.send_ping()
            assert unknown.value.code == -32601
        else:
            assert isinstance(await client.send_ping(), types.EmptyResult)

    run(scenario)


@pytest.mark.parametrize("mode", ["legacy", "auto"], indirect=True)
def test_a_client_without_abilities_is_told_what_is_missing(
    mode: str, tmp_path: Path, serve_command: Callable[[Path], list[str]], server_path: str
) -> None:
    program, *command_line = serve_command(tmp_path)
    parameters = StdioServerParameters(command=program, args=command_line, env={"PYTHONPATH": server_path})

    async def whole() -> None:
        async with asyncio.timeout(PATIENCE_SECONDS), Client(parameters, mode=mode) as client:
            for name, arguments in (("ask", {"question": "Who?"}), ("sample", {"prompt": "?"}), ("roots", {})):
                if MODES[mode] == MODERN:
                    with pytest.raises(MCPError) as missing:
                        await client.call_tool(name, arguments)
                    assert missing.value.code == -32021
                else:
                    assert (await client.call_tool(name, arguments)).is_error

    asyncio.run(whole())
