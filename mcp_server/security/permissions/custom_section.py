"""What a policy file says in `[custom.NAME]`."""

from __future__ import annotations

from collections.abc import Mapping

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.permission_type import PermissionType
from mcp_server.security.permissions.policy_section import PolicySection
from mcp_server.security.permissions.resource_patterns import MATCHERS, TEXT


def read_matchers(sections: Mapping[str, PolicySection]) -> dict[PermissionType, str]:
    """Return the language of patterns of each kind of right that a module brought and the policy speaks of.

    Chosen by the operator from what ships: a matcher of a module's own would be code of the module's that decides on
    the module's rights.

    Raises:
        ConfigurationError: Something of them is not understood; with the line.
    """
    found: dict[PermissionType, str] = {}
    for name, section in sections.items():
        section.check_keys(("matcher",))
        try:
            kind = PermissionType.custom(name)
        except ConfigurationError as error:
            raise section.error(error.message) from error
        section.string("matcher")
        found[kind] = section.text("matcher", TEXT, choices=MATCHERS)
    return found
