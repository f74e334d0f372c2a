"""Reading what a policy says of modules, and of the definitions of their tools."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.permissions.definition_rules import DefinitionRules
from mcp_server.security.permissions.module_policy import ModulePolicy
from mcp_server.security.permissions.policy_section import PolicySection

PathOf = Callable[[str], str]
"""Makes what a policy writes an absolute path, as it does for folders."""


def read_module(section: PolicySection, path_of: PathOf, folders: Sequence[str]) -> ModulePolicy:
    """Return what `[module.NAME]` says.

    Args:
        section: The table.
        path_of: Makes its paths absolute.
        folders: All folders of all clients.

    Raises:
        ConfigurationError: Something of it cannot be meant.
    """
    section.check_keys(("isolation", "code"))
    isolation: Any = None
    if "isolation" in section:
        isolation = section.text("isolation", "process", choices=("inline", "process"))
    code: list[str] = []
    for at, text in enumerate(section.texts("code")):
        try:
            path = path_of(text)
        except ConfigurationError as error:
            raise section.error(error.message, "code", at) from error
        if any(os.path.commonpath([path, folder]) in (path, folder) for folder in folders):
            # Whoever may write there would write what runs.
            raise section.error(
                f"{text!r} lies in a client's folder, or holds one; keep code where no client may write", "code", at
            )
        if not os.path.exists(path):
            raise section.error(f"there is no file or directory {text!r}", "code", at)
        code.append(path)
    return ModulePolicy(isolation, tuple(code))


def read_definitions(section: PolicySection, path_of: PathOf, folders: Sequence[str]) -> DefinitionRules:
    """Return what `[definitions]` says; see `read_module`."""
    section.check_keys(("lock", "drift"))
    if "lock" not in section:
        raise section.error('[definitions] must name the file: lock = "desk.lock"')
    drift: Any = section.text("drift", "refuse", choices=("refuse", "warn"))
    text = section.string("lock")
    try:
        path = path_of(text)
    except ConfigurationError as error:
        raise section.error(error.message, "lock") from error
    if any(os.path.commonpath([path, folder]) == folder for folder in folders):
        # Whoever may write there would say that what he has changed is as it was.
        raise section.error(f"{text!r} lies in a client's folder; keep it where no client may write", "lock")
    return DefinitionRules(path, drift)
