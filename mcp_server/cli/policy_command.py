"""`mcp-server policy`: `check` and `explain`; the other verbs are described beside what they run."""

from __future__ import annotations

import shlex
import time
from argparse import Namespace
from typing import Any

from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.options import add_server_options, make_server
from mcp_server.cli.output import Output
from mcp_server.cli.policy_review import add_verbs
from mcp_server.core.mcp_server import MCPServer
from mcp_server.core.server_config import ServerConfig
from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.isolation.run_plan import RunPlan
from mcp_server.security.permission_manager import PermissionManager
from mcp_server.security.permissions.asked_resource import asked_resource
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.grant_limits import shown_time
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_loader import PolicyLoader
from mcp_server.security.permissions.use_ledger import UseLedger


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    parser = commands.add_parser("policy", help="check, explain, compare, test or learn a policy")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="check|explain|diff|test|learn|unused")
    check = verbs.add_parser("check", help="load a policy file as the server would, and report the first mistake")
    check.add_argument("file", metavar="FILE")
    check.set_defaults(run=run_check)
    explain = verbs.add_parser(
        "explain",
        help="say which rule of each layer decides, and what grant would pass",
        usage="%(prog)s TYPE RESOURCE [options]\n       %(prog)s CLIENT TOOL [key=value ...] [options]",
        description="Explain one right (TYPE RESOURCE), or everything that one call needs (CLIENT TOOL key=value ...). "
        "Where the first word is a permission type, it is the first form.",
    )
    explain.add_argument(
        "subject", metavar="TYPE|CLIENT", help="a permission type, such as FILE_READ, or a client's name"
    )
    explain.add_argument(
        "object",
        metavar="RESOURCE|TOOL",
        help="a path, relative to the client's first folder, or other resource; or a tool's name",
    )
    explain.add_argument("arguments", metavar="key=value", nargs="*", help="the tool's arguments")
    add_server_options(explain)
    explain.set_defaults(run=run_explain)
    add_verbs(verbs)


def run_check(arguments: Namespace, output: Output) -> ExitCode:
    """Load the policy; the exit status tells whether it is good."""
    try:
        policy = PolicyLoader().load(arguments.file)
        _check_expired(policy)
    except ConfigurationError as error:
        if output.as_json:
            output.data({"ok": False, "error": str(error), "line": error.line})
        else:
            output.error(str(error))
        return ExitCode.NO
    if output.as_json:
        output.data({"ok": True, "digest": policy.digest, "clients": sorted(policy.clients)})
    else:
        output.line(f"{arguments.file}: good; clients: {', '.join(sorted(policy.clients))}; sha256 {policy.digest}")
    return ExitCode.DONE


def _check_expired(policy: Policy) -> None:
    """Refuse grants that have ended: a server passes over them, and whoever looks at the file should not have to."""
    now = time.time()
    for profile in policy.clients.values():
        for rule in profile.grants:
            if rule.limits is not None and rule.limits.expires is not None and rule.limits.expires <= now:
                raise ConfigurationError(
                    f"{rule.text!r} expired at {shown_time(rule.limits.expires)}; take the grant out, or renew it",
                    source=policy.source,
                    line=rule.line,
                )


def run_explain(arguments: Namespace, output: Output) -> ExitCode:
    """Explain one decision or one call; the exit status tells whether it is yes."""
    try:
        permission_type = PermissionType(arguments.subject)
    except ConfigurationError as error:
        return _explain_call(arguments, output, error)
    if arguments.arguments:
        raise ConfigurationError("a resource is one word; write quotes around one with blanks")
    server = make_server(arguments)
    manager = _manager(server)
    client = server.config.client
    profile = _profile(manager, client)
    resource = asked_resource(profile, permission_type, arguments.object)
    decision = manager.decide_use(client, permission_type, resource)
    traces = manager.explain(client, permission_type, resource)
    grant = None if decision.effect is Effect.ALLOW else manager.smallest_grant(client, permission_type, resource)
    plan = run_plan(server.config, permission_type, resource)
    if output.as_json:
        output.data(
            {
                "client": client,
                "type": permission_type,
                "resource": resource,
                "effect": decision.effect,
                "rule": decision.rule,
                "layers": [each.to_json() for each in traces],
                "smallest_grant": grant,
                "run": plan.to_json() if isinstance(plan, RunPlan) else plan,
                "separate_process": profile.separate_process,
            }
        )
    else:
        output.table(
            ("layer", "says", "rule", "pattern or reason"),
            [(each.layer, each.effect.value, each.rule, each.pattern or each.reason) for each in traces],
            title=f"{client}: {permission_type} {resource}",
        )
        output.line(f"decision: {decision.effect.value}")
        if grant:
            output.line(f"the smallest grant that would pass: {grant}")
        elif grant is not None:
            output.line("no grant would pass: a deny stands above it")
        if isinstance(plan, RunPlan):
            tell_run(plan, output)
        elif plan is not None:
            output.line(plan)
        if permission_type.is_path and profile.separate_process:
            output.line("its files are opened by a process that can open nothing else (separate_process)")
    return ExitCode.DONE if decision.effect is Effect.ALLOW else ExitCode.NO


def _explain_call(arguments: Namespace, output: Output, error: ConfigurationError) -> ExitCode:
    client = arguments.subject
    if arguments.client not in (None, client):
        raise ConfigurationError(f"there are two clients, {client!r} and {arguments.client!r}; name one")
    arguments.client = client
    server = make_server(arguments)
    manager = _manager(server)
    if manager.profile(client) is None:
        raise ConfigurationError(
            f"{client!r} is no permission type and no client; the policy names {', '.join(manager.policy.clients)}; "
            f"{error}"
        )
    from mcp_server.cli.call_explanation import CallExplanation

    explanation = CallExplanation(server=server, manager=manager, profile=_profile(manager, client))
    return explanation.run(arguments.object, arguments.arguments, output)


def _manager(server: MCPServer) -> PermissionManager:
    ledger = UseLedger(directory=server.config.state_directory / "uses")
    return PermissionManager(policy=server.config.policy, ledger=ledger)


def _profile(manager: PermissionManager, client: str) -> ClientProfile:
    profile = manager.profile(client)
    if profile is None:
        raise ConfigurationError(f"the policy names no client {client!r}; it names {', '.join(manager.policy.clients)}")
    return profile


def run_plan(config: ServerConfig, permission_type: PermissionType, resource: str) -> RunPlan | str | None:
    """Return how it would be run, made by what runs it; or why it would not be; None for what runs nothing.

    Args:
        config: The server's.
        permission_type: The right.
        resource: What it is about.
    """
    if permission_type not in (PermissionType.CODE_EXECUTION, PermissionType.SYSTEM_COMMAND):
        return None
    from mcp_server.resources.isolation.execution_request import ExecutionRequest
    from mcp_server.resources.sandbox_manager import SandboxManager

    sandboxes = SandboxManager(config=config.policy.sandbox, state_directory=config.state_directory)
    try:
        if permission_type == PermissionType.CODE_EXECUTION:
            request = ExecutionRequest(policy=sandboxes.policy(), code="")
        else:
            name, *arguments = shlex.split(resource) or [""]
            program = config.policy.sandbox.programs.get(name)
            if program is None:
                return f"it would not run: there is no program {name!r} in the operator's list"
            if not program.allows(arguments):
                return "it would not run: the arguments have none of the forms of the operator's list"
            # Any descriptor stands for the directory of copies, which is made for a run alone.
            workspace = None if program.workspace == "none" else 0
            request = sandboxes.program_request(program, arguments, workspace=workspace)
        execution = sandboxes.execution
        return execution.plan(request, owner=sandboxes.owner(config.client))
    except ValueError as error:
        return f"it would not run: {error}"
    except ResourceUnavailableError as error:
        return f"it would not run: {error}; {'; '.join(sandboxes.findings)}"
    finally:
        sandboxes.close()


def tell_run(plan: RunPlan, output: Output) -> None:
    """Print how something would be run."""
    output.line()
    output.table(
        ("option", "with"),
        [(words[0], " ".join(words[1:])) for words in plan.sandbox],
        title=f"It would run in tier {plan.tier.label!r}; its sandbox",
    )
    if plan.landlock is not None:
        rows = [(path, ", ".join(may)) for path, may in plan.landlock.items()]
        output.table(("path", "may"), rows, title="Landlock, inside")
    facts = {
        "executes": " ".join(plan.arguments),
        "directory": plan.directory,
        "user of the host": "the server's own" if plan.owner is None else plan.owner,
        "filters": "; ".join(plan.filters) or "none",
        **{f"variable {name}": value for name, value in (plan.environment or {}).items()},
        **{f"limit {name}": value for name, value in (plan.limits or {}).items()},
        **{f"run {name}": value for name, value in (plan.bounds or {}).items()},
    }
    output.table(("what", "is"), list(facts.items()), title="The run")
