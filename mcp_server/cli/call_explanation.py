"""`mcp-server policy explain CLIENT TOOL key=value ...`."""

from __future__ import annotations

from typing import Any

from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.output import Output
from mcp_server.cli.tool_arguments import read_pairs, typed_values
from mcp_server.core.mcp_server import MCPServer
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.invalid_arguments_error import InvalidArgumentsError
from mcp_server.errors.unknown_name_error import UnknownNameError
from mcp_server.resources.filesystem.root_config import RootConfig
from mcp_server.resources.filesystem_manager import FileSystemManager
from mcp_server.security.call_needs import call_needs
from mcp_server.security.operation import Operation
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.call_need import CallNeed
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.effect import Effect
from mcp_server.tools.tool import Tool


class CallExplanation:
    """Say of one call what it needs, what each layer of the policy says of that, and what is missing.

    Nothing is run, opened or recorded. What a handler needs beyond what its arguments name is found out only when it
    runs; of that it says whether anything could be granted at all.

    Args:
        server: The server.
        manager: The policy.
        profile: The client.
    """

    def __init__(self, *, server: MCPServer, manager: PermissionManager, profile: ClientProfile) -> None:
        self._server = server
        self._manager = manager
        self._profile = profile

    def run(self, tool_name: str, texts: list[str], output: Output) -> ExitCode:
        """Print the explanation; the exit status tells whether every need is allowed.

        Raises:
            ConfigurationError: There is no such tool, or the arguments are none.
        """
        try:
            tool = self._server.catalog.tool(tool_name)
        except UnknownNameError as error:
            names = ", ".join(each.name for each in self._server.catalog.tools())
            raise ConfigurationError(f"there is no tool {tool_name!r}; there are {names}") from error
        arguments = typed_values(read_pairs(texts), tool.input_schema)
        try:
            needs = tool.needs(arguments)
        except InvalidArgumentsError as error:
            raise ConfigurationError(f"the arguments do not fit: {error}") from error
        told = [self._tell_need(need) for need in self._needs(tool, needs)]
        later = [
            {"permission": str(each), "possible": self._manager.might_use(self._profile.name, each)}
            for each in tool.permissions
            if not each.arguments and each.restricted
        ]
        is_shown = self._profile.shows(tool.name) and all(
            each.optional or self._manager.might_use(self._profile.name, each) for each in tool.permissions
        )
        strictest = [Effect(each["effect"]) for each in told]
        effect = next((each for each in (Effect.DENY, Effect.ASK) if each in strictest), Effect.ALLOW)
        if not is_shown:
            effect = Effect.DENY
        result = {
            "client": self._profile.name,
            "tool": tool.name,
            "effect": effect,
            "shown": is_shown,
            "needs": told,
            "later": later,
            "missing": [f"{each['type']} {each['resource'] or each['text']}" for each in told if each["missing"]],
        }
        if output.as_json:
            output.data(result)
        else:
            _print(result, output)
        return ExitCode.DONE if effect is Effect.ALLOW else ExitCode.NO

    def _needs(self, tool: Tool, needs: tuple[Any, ...]) -> list[CallNeed]:
        async def nothing(context: Any) -> None:
            """Stand for the handler, which is not called."""

        operation = Operation(
            kind="tools/call", name=tool.name, execute=nothing, permissions=tool.permissions, needs=needs
        )
        profile = self._profile
        roots = [
            RootConfig(folder, is_global=is_global)
            for folders, is_global in ((profile.folders, False), (profile.global_folders, True))
            for folder in folders
        ]
        if not roots:
            return call_needs(operation, None)
        files = FileSystemManager(roots=roots, forbidden=(self._server.config.state_directory,))
        try:
            return call_needs(operation, files)
        finally:
            files.close()

    def _tell_need(self, need: CallNeed) -> dict[str, Any]:
        told: dict[str, Any] = {"type": need.type, "text": need.text, "resource": need.resource}
        if not need.is_decidable:
            return {
                **told,
                "effect": Effect.DENY,
                "rule": "",
                "layers": [{"layer": "tool", "rule": "", "effect": Effect.DENY, "pattern": "", "reason": need.problem}],
                "missing": True,
                "smallest_grant": "",
            }
        question = (self._profile.name, need.type, need.resource)
        decision = self._manager.decide_use(*question)
        is_denied = decision.effect is Effect.DENY
        return {
            **told,
            "effect": decision.effect,
            "rule": decision.rule,
            "layers": [each.to_json() for each in self._manager.explain(*question)],
            "missing": is_denied,
            # Where a human is asked nothing is missing, and no grant would change it.
            "smallest_grant": self._manager.smallest_grant(*question) if is_denied else None,
        }


def _print(result: dict[str, Any], output: Output) -> None:
    for need in result["needs"]:
        rows = [
            (each["layer"], each["effect"].value, each["rule"], each["pattern"] or each["reason"])
            for each in need["layers"]
        ]
        title = f"{result['client']}: {need['type']} {need['resource'] or need['text']}"
        output.table(("layer", "says", "rule", "pattern or reason"), rows, title=title)
        output.line(f"decision: {need['effect'].value}")
        if need["smallest_grant"]:
            output.line(f"the smallest grant that would pass: {need['smallest_grant']}")
        elif need["smallest_grant"] is not None:
            output.line("no grant would pass")
        output.line()
    for each in result["later"]:
        answer = "decided on when it asks" if each["possible"] else "never granted"
        output.line(f"while it runs it may need {each['permission']}: {answer}")
    if not result["shown"]:
        output.line(f"the client {result['client']!r} does not see this tool: nothing could grant what it declares")
    if result["missing"]:
        output.line(f"missing: {', '.join(result['missing'])}")
    output.line(f"the call, before it runs: {result['effect'].value}")
