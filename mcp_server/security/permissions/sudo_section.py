"""What a policy file says about root."""

from __future__ import annotations

import re
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.resources.isolation.argument_form import ArgumentForm
from mcp_server.resources.isolation.root_action import MAX_ACTION_SECONDS, MAX_CALLS_PER_HOUR, RootAction
from mcp_server.resources.isolation.sudo_config import SudoConfig
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy import Policy
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.policy_section import PolicySection
from mcp_server.security.permissions.resource_pattern import UNRESTRICTED

# The name is the resource of a right, in which a star would be a wildcard.
_ACTION_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


def read_sudo(section: PolicySection) -> SudoConfig:
    """Return what `[sudo]` and its `[sudo.action.NAME]` say.

    Raises:
        ConfigurationError: Something of it is not understood.
    """
    section.check_keys(("enabled", "action"))
    actions = {name: _action(name, each) for name, each in section.sections("action").items()}
    return SudoConfig(is_enabled=section.flag("enabled", default=False), actions=actions)


def check_sudo_rules(policy: Policy) -> None:
    """Refuse a policy that grants root in any other way than by the names of its actions.

    Raises:
        ConfigurationError: It does; with the line.
    """
    granted = [rule for each in policy.clients.values() for rule in each.granting]
    if policy.ceiling is not None:
        granted += policy.ceiling.allow
    for rule in granted:
        if PermissionType.CODE_EXECUTION_SUDO in rule.types:
            problem = _problem(rule, policy.sandbox.sudo)
            if problem is not None:
                raise ConfigurationError(f"{rule.text!r} {problem}", source=policy.source, line=rule.line)


def _action(name: str, section: PolicySection) -> RootAction:
    section.check_keys(("program", "arguments", "timeout_seconds", "confirm", "calls_per_hour"))
    if not _ACTION_NAME.fullmatch(name) or name == UNRESTRICTED:
        raise section.error(
            f"the action name {name!r} must have 1 to 64 letters, digits, '_', '.' or '-', a sign not first"
        )
    program = section.string("program")
    try:
        form = ArgumentForm(section.string("arguments", ""))
    except ValueError as error:
        raise section.error(str(error), "arguments") from error
    try:
        return RootAction(
            name,
            program,
            form,
            timeout_seconds=section.number("timeout_seconds", 60.0, least=1, most=MAX_ACTION_SECONDS),
            must_confirm=section.flag("confirm", default=True),
            calls_per_hour=int(section.number("calls_per_hour", 6, least=1, most=MAX_CALLS_PER_HOUR)),
        )
    except ValueError as error:
        raise section.error(str(error)) from error


def _problem(rule: PolicyRule, sudo: SudoConfig) -> str | None:
    """Return what is wrong with a rule that grants root, None when nothing is."""
    if not sudo.is_enabled:
        return "grants root, and the policy does not switch root actions on: [sudo] enabled = true"
    names = [pattern.canonical for pattern in rule.patterns]
    if any("*" in name for name in names):
        return "grants more than one root action; write one rule for each, with its name"
    unknown = [name for name in names if name not in sudo.actions]
    if unknown:
        return f"names no root action; the policy has {', '.join(sudo.actions) or 'none'}"
    return None
