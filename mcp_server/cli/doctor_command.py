"""`mcp-server doctor`."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from mcp_server.cli.exit_code import ExitCode
from mcp_server.cli.output import Output


def add_parser(commands: Any) -> None:
    """Describe the command's arguments."""
    parser = commands.add_parser(
        "doctor",
        help="attack this machine's sandbox, and tell what holds",
        description="Attack the sandbox from inside, and the same targets from outside, and tell what holds here.",
    )
    parser.add_argument("--policy", metavar="FILE", help="take what it says about sandboxes from this policy file")
    parser.set_defaults(run=run)


def run(arguments: Namespace, output: Output) -> ExitCode:
    """Examine, print, and say by the exit status whether what is demanded holds.

    Raises:
        ConfigurationError: The policy cannot be used.
    """
    from mcp_server.resources.broker.broker_factory import BrokerFactory
    from mcp_server.resources.isolation.doctor import Doctor
    from mcp_server.resources.isolation.sandbox_config import SandboxConfig
    from mcp_server.resources.isolation.sudo_check import SudoCheck
    from mcp_server.resources.sandbox_manager import SandboxManager

    config = SandboxConfig()
    apart: list[str] = []
    if arguments.policy is not None:
        from mcp_server.security.permissions.policy_loader import PolicyLoader

        policy = PolicyLoader().load(arguments.policy)
        config = policy.sandbox
        apart = sorted(name for name, profile in policy.clients.items() if profile.separate_process)
    sandboxes = SandboxManager(config=config)
    try:
        found = Doctor(sandboxes=sandboxes).examine()
    finally:
        sandboxes.close()
    # What there is of root without a password matters where the sandbox alone keeps it away, whatever the policy says.
    root = SudoCheck(config=config.sudo, tier=found.tier).examine()
    unable = BrokerFactory.problem()
    code = ExitCode.DONE if found.holds and root.holds else ExitCode.NO
    if output.as_json:
        output.data(
            {
                "attacks": {name: {"outside": out, "inside": inside} for name, (out, inside) in found.attacks.items()},
                "demanded": found.demanded.label,
                "features": dict(found.features),
                "findings": list(found.findings),
                "holds": found.holds,
                "root_actions": {"problems": list(root.problems), "warnings": list(root.warnings)},
                "separate_process": {"clients": apart, "problem": unable},
                "tier": found.tier.label,
            }
        )
        return code
    if found.attacks:
        rows = [[name, _reached(out), _reached(inside)] for name, (out, inside) in found.attacks.items()]
        output.table(["attack", "outside", "inside"], rows)
    for name, value in found.features.items():
        output.line(f"{name}: {value}")
    for finding in found.findings:
        output.line(f"! {finding}")
    for problem in root.problems:
        output.line(f"! root actions: {problem}")
    for warning in root.warnings:
        output.line(f"? root actions: {warning}")
    output.line(
        f"separate_process: {'can be had' if unable is None else unable}; used by {', '.join(apart) or 'nobody'}"
    )
    verdict = "holds" if found.holds else "does not hold"
    output.line(f"tier: {found.tier.label}; demanded: {found.demanded.label}, which {verdict}")
    return code


def _reached(is_reached: bool) -> str:
    return "reached" if is_reached else "stopped"
