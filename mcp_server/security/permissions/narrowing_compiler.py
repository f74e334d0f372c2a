"""From what a token says to rules about one client's folders."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.client_profile import ClientProfile
from mcp_server.security.permissions.effect import Effect
from mcp_server.security.permissions.narrowing import Narrowing
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_layer import PolicyLayer
from mcp_server.security.permissions.policy_rule import PolicyRule
from mcp_server.security.permissions.rule_compiler import RuleCompiler

logger: Final = logging.getLogger(__name__)


def compile_narrowing(
    narrowing: Narrowing,
    profile: ClientProfile,
    scopes: Mapping[str, tuple[str, ...]],
    matchers: Mapping[PermissionType, str] | None = None,
) -> PolicyLayer:
    """Return what a narrowing covers for a client; what cannot be understood covers nothing.

    Args:
        narrowing: What the token says.
        profile: The client.
        scopes: The policy's scopes.
        matchers: The policy's languages of patterns for the kinds of right that modules brought.

    >>> layer = compile_narrowing(Narrowing.of(rules=["FILE_READ *.md"]), ClientProfile("ada", folders=("/srv",)), {})
    >>> [rule.id for rule in layer.allow]
    ['token[0]']
    """
    texts = [(f"token[{at}]", text) for at, text in enumerate(narrowing.rules)]
    for name in narrowing.scopes:
        texts += [(f"scope.{name}[{at}]", text) for at, text in enumerate(scopes.get(name, ()))]
    # No home and no links: a token says nothing about what lies where on this machine, and touches no file of it.
    compiler = RuleCompiler(realpath=lambda path: path, matchers=matchers)
    rules = [_rule(compiler, rule_id, text, profile) for rule_id, text in texts]
    return PolicyLayer(allow=tuple(rule for rule in rules if rule is not None))


def _rule(compiler: RuleCompiler, rule_id: str, text: str, profile: ClientProfile) -> PolicyRule | None:
    try:
        return compiler.for_client(
            rule_id,
            Effect.ALLOW,
            text,
            client=profile.name,
            folders=profile.folders,
            global_folders=profile.global_folders,
        )
    except (ConfigurationError, ValueError) as error:
        logger.info("%s covers nothing for client %s: %s", rule_id, profile.name, error)
        return None
