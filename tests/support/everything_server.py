"""A server with everything a client can ask for, built on the public names alone.

It is run in three ways: by `mcp-server serve --module everything_server` with this directory on the path, as a script
of its own (`everything_server.py --state DIR [--folder DIR] [--grace SECONDS]`), and in memory, by `everything()`.

Tools that wait do so for another call, never for a time: `hold` until `release`, `hold_thread` likewise in a thread.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import dataclasses
import os
import subprocess
import sys
import threading
from enum import StrEnum
from typing import Any, TypedDict

from mcp_server import (
    Audio,
    ClientContext,
    EmbeddedResource,
    Image,
    MCPServer,
    Module,
    PromptMessage,
    ResourceLink,
    ToolAnnotations,
    ToolError,
)
from mcp_server.cli.exit_code import ExitCode
from mcp_server.transport.stop_reason import StopReason

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)
WAV = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0\x80>\0\0\x02\0\x10\0data\0\0\0\0"
CITIES = ("Paris", "Parma", "Prague", "Porto")
NOISE = "this is no message of the protocol\n"


class Sum(TypedDict):
    """What `add` returns."""

    sum: int


class Weather(TypedDict):
    """What `structured` returns."""

    city: str
    celsius: float
    tags: list[str]


class Failure(StrEnum):
    """How `fail` fails."""

    TOOL_ERROR = "tool_error"
    BUG = "bug"
    EXIT = "exit"


class Noise(StrEnum):
    """By which way `noise` writes to standard output."""

    PRINT = "print"
    DESCRIPTOR = "descriptor"
    C_LIBRARY = "c_library"
    CHILD = "child"


class Gates:
    """What the tools that wait are waiting for, by label, and which of them were cancelled."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self._events: dict[str, asyncio.Event] = {}
        self._thread_events: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def end(self, label: str) -> None:
        """Note that the call of this label was cancelled."""
        self.ended.append(label)
        self.of_thread(f"{label}, ended").set()

    def of(self, label: str) -> asyncio.Event:
        """Return the event that tasks wait for."""
        return self._events.setdefault(label, asyncio.Event())

    def of_thread(self, label: str) -> threading.Event:
        """Return the event that threads wait for."""
        with self._lock:
            return self._thread_events.setdefault(label, threading.Event())


def everything() -> Module:
    """Return a fresh module with everything in it; what its tools remember belongs to this one."""
    module = Module("everything", description="Everything a client can ask for.")
    _add_plain_tools(module)
    _add_asking_tools(module)
    gates = Gates()
    _add_waiting_tools(module, gates)
    _add_blocking_tools(module, gates)
    _add_rude_tools(module)
    _add_resources(module)
    _add_prompts(module)
    return module


def _add_plain_tools(module: Module) -> None:
    read_only = ToolAnnotations(read_only=True)

    @module.tool(annotations=read_only, title="Echo")
    async def echo(text: str) -> str:
        """Return the text.

        Args:
            text: Any text.
        """
        return text

    @module.tool(annotations=read_only)
    async def add(a: int, b: int) -> Sum:
        """Add two numbers."""
        return {"sum": a + b}

    @module.tool(annotations=read_only)
    async def structured(city: str) -> Weather:
        """Return a structured value."""
        return {"city": city, "celsius": 21.5, "tags": ["sunny", "dry"]}

    @module.tool(annotations=read_only)
    async def image() -> Image:
        """Return an image."""
        return Image(PNG)

    @module.tool(annotations=read_only)
    async def audio() -> Audio:
        """Return a sound."""
        return Audio(WAV)

    @module.tool(annotations=read_only)
    async def link() -> ResourceLink:
        """Return a link to a resource."""
        return ResourceLink("everything://greeting", "greeting", mime_type="text/plain")

    @module.tool(annotations=read_only)
    async def embedded() -> list[Any]:
        """Return a text and an embedded resource."""
        return ["here it is", EmbeddedResource("everything://greeting", "hello")]

    @module.tool(annotations=read_only)
    async def payload(size: int) -> str:
        """Return a text of that many bytes."""
        return "x" * size

    @module.tool
    async def fail(kind: Failure) -> str:
        """Fail, in one of several ways."""
        if kind is Failure.TOOL_ERROR:
            raise ToolError("the thing is broken; try another")
        if kind is Failure.EXIT:
            raise SystemExit(3)
        raise RuntimeError("a secret of the host: /etc/hidden")


def _add_asking_tools(module: Module) -> None:
    @module.tool
    async def ask(question: str, client: ClientContext) -> str:
        """Ask the human for a name and an age."""
        answer = await client.ask(question, {"name": str, "age": int})
        return f"{answer['name']} is {answer['age']}" if answer.accepted else answer.action

    @module.tool
    async def ask_twice(client: ClientContext) -> str:
        """Ask the human two things, one after the other."""
        first = await client.ask("First?", {"value": str})
        second = await client.ask(f"Second, after {first['value']}?", {"value": str})
        return f"{first['value']} {second['value']}"

    @module.tool
    async def sample(prompt: str, client: ClientContext) -> str:
        """Let the client's model answer."""
        answer = await client.sample(prompt, max_tokens=100, system_prompt="Be short.")
        return f"{answer['model']}: {answer['content']['text']}"

    @module.tool
    async def roots(client: ClientContext) -> str:
        """Return the client's roots."""
        return " ".join(root["uri"] for root in await client.roots())

    @module.tool
    async def log(text: str, client: ClientContext) -> str:
        """Log at three levels."""
        client.log("debug", f"debug {text}")
        client.log("info", f"info {text}")
        client.log("error", {"error": text})
        return "logged"

    @module.tool
    async def progress(steps: int, client: ClientContext) -> str:
        """Report progress at every step."""
        for step in range(1, steps + 1):
            client.progress(step, steps, f"step {step}")
            await asyncio.sleep(0)
        return f"{steps} steps"


def _add_waiting_tools(module: Module, gates: Gates) -> None:
    # The server's own limit must not end what a test wants to end.
    @module.tool(timeout_seconds=600)
    async def hold(label: str, client: ClientContext) -> str:
        """Report progress once, and wait for `release` of the same label."""
        client.progress(1, None, "holding")
        client.log("info", f"holding {label}")
        try:
            await gates.of(label).wait()
        except asyncio.CancelledError:
            gates.end(label)
            raise
        return f"released {label}"

    @module.tool(timeout_seconds=600)
    async def stubborn(label: str) -> str:
        """Wait likewise, but refuse to end when cancelled: a careless handler does that."""
        gate = gates.of(label)
        while not gate.is_set():
            try:
                await gate.wait()
            except asyncio.CancelledError:
                gates.end(label)
        return f"released {label}"

    @module.tool
    async def release(label: str) -> str:
        """Let what holds under this label end."""
        gates.of(label).set()
        gates.of_thread(label).set()
        return "released"

    @module.tool(annotations=ToolAnnotations(read_only=True))
    async def ended_labels() -> str:
        """Return the labels of the calls that were cancelled."""
        return " ".join(gates.ended)

    @module.tool
    async def long_running(steps: int, client: ClientContext) -> str:
        """Work on the loop for many turns, and report each hundredth."""
        for step in range(1, steps + 1):
            if step % 100 == 0:
                client.progress(step, steps)
            await asyncio.sleep(0)
        return f"{steps} steps"


def _add_blocking_tools(module: Module, gates: Gates) -> None:
    @module.tool(timeout_seconds=600)
    def hold_thread(label: str, client: ClientContext) -> str:
        """Wait for `release` in a blocking way, or until the call is taken back."""
        gates.of_thread(f"{label}, begun").set()
        gate = gates.of_thread(label)
        while not gate.wait(0.01):
            if client.cancelled:
                gates.end(label)
                break
        return f"{label} off the loop: {threading.current_thread() is not threading.main_thread()}"

    @module.tool(annotations=ToolAnnotations(read_only=True), timeout_seconds=600)
    def wait_until(label: str, what: str) -> bool:
        """Wait until the blocking call of this label has `begun` or `ended`; for ten seconds at most."""
        return gates.of_thread(f"{label}, {what}").wait(10)

    @module.tool(timeout_seconds=600)
    def stuck_thread(label: str) -> str:
        """Block for ever; nothing can end this."""
        threading.Event().wait()
        return label

    @module.tool(timeout_seconds=600)
    async def stuck_executor(label: str) -> str:
        """Block for ever in a thread of the handler's own making."""
        await asyncio.to_thread(threading.Event().wait)
        return label


def _add_rude_tools(module: Module) -> None:
    @module.tool
    async def noise(how: Noise) -> str:
        """Write to standard output, where nothing but the protocol belongs."""
        make_noise(how)
        return f"made {how}"

    @module.tool
    def steal_input() -> str:
        """Read standard input, here and in a child."""
        child = subprocess.run(["cat"], stdout=subprocess.PIPE, check=True)
        return f"{len(os.read(0, 100))} {len(sys.stdin.read())} {len(child.stdout)}"

    @module.tool
    def start_child() -> str:
        """Start a child, and a grandchild, that outlive the call, and return their process ids."""
        child = subprocess.Popen(["sh", "-c", "sleep 1000 & echo $!; wait"], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        return f"{child.pid} {child.stdout.readline().strip()}"

    @module.tool
    def inherited() -> str:
        """Return which descriptors a child sees."""
        listing = subprocess.run(["ls", "-l", "/proc/self/fd"], stdout=subprocess.PIPE, check=True, text=True)
        return listing.stdout


def _add_resources(module: Module) -> None:
    counter = {"value": 0}

    @module.resource("everything://greeting", mime_type="text/plain", description="A greeting.")
    async def greeting() -> str:
        return "hello"

    @module.resource("everything://picture", mime_type="image/png", description="A picture.")
    async def picture() -> bytes:
        return PNG

    @module.resource("everything://counter", mime_type="text/plain", description="A number that changes.")
    async def count() -> str:
        return str(counter["value"])

    @module.resource("everything://city/{name}", mime_type="text/plain", description="A city.")
    async def city(name: str) -> str | None:
        return f"{name} is a city" if name in CITIES else None

    @module.completion("everything://city/{name}", "name")
    async def cities(value: str) -> list[str]:
        return [each for each in CITIES if each.startswith(value)]

    @module.tool
    async def increase() -> str:
        """Change the counter, and tell who watches it."""
        counter["value"] += 1
        module.resource_updated("everything://counter")
        return str(counter["value"])

    @module.tool
    async def change_lists() -> str:
        """Add a tool, a prompt and a resource, or withdraw them again."""
        if "added" in module.tools:
            module.remove_tool("added")
            module.remove_prompt("added_prompt")
            module.remove_resource("everything://added")
            return "withdrawn"

        @module.tool
        async def added() -> str:
            """A tool that came later."""
            return "added"

        @module.prompt
        async def added_prompt() -> str:
            """A prompt that came later."""
            return "added"

        @module.resource("everything://added")
        async def added_resource() -> str:
            """A resource that came later."""
            return "added"

        return "added"


def _add_prompts(module: Module) -> None:
    @module.prompt
    async def haiku(topic: str, mood: str = "calm") -> str:
        """Ask for a haiku."""
        return f"Write a {mood} haiku about {topic}."

    @module.prompt
    async def conversation() -> list[PromptMessage]:
        """A short conversation, with a picture."""
        return [PromptMessage("Look at this."), PromptMessage(Image(PNG)), PromptMessage("Nice.", role="assistant")]

    @module.prompt
    async def asking(client: ClientContext) -> str:
        """Ask the human before the prompt is made."""
        answer = await client.ask("What about?", {"topic": str})
        return f"Write about {answer['topic']}."

    @module.completion("haiku", "topic")
    async def topics(value: str) -> list[str]:
        return [each for each in ("frogs", "fog", "rain") if each.startswith(value)]

    @module.completion("haiku", "mood")
    async def moods(value: str, arguments: dict[str, str]) -> list[str]:
        return [f"{value}{arguments.get('topic', '')}"]


def make_noise(how: Noise) -> None:
    """Write to standard output in one of the ways in which programs do."""
    if how is Noise.PRINT:
        print(NOISE, end="", flush=True)
    elif how is Noise.DESCRIPTOR:
        os.write(1, NOISE.encode())
    elif how is Noise.C_LIBRARY:
        library = ctypes.CDLL(None)
        library.printf(NOISE.encode())
        library.fflush(None)
    else:
        subprocess.run(["echo", NOISE], check=True)


module = everything()


def main() -> int:
    """Serve, as a script of a user would, and return the exit status that `mcp-server serve` would."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", required=True)
    parser.add_argument("--folder", action="append", default=[])
    parser.add_argument("--grace", type=float, default=5.0, help="how long running calls may go on at the end")
    arguments = parser.parse_args()
    server = MCPServer(
        "everything",
        version="1.2.3",
        title="Everything",
        instructions="Try everything.",
        folders=arguments.folder,
        state=arguments.state,
    )
    transport = dataclasses.replace(server.config.transport, grace_seconds=arguments.grace)
    server.config = dataclasses.replace(server.config, transport=transport)
    server.register_module(module)
    reason = server.run()
    return ExitCode.INTERRUPTED if reason in (StopReason.SIGNAL, StopReason.PARENT_DIED) else ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
