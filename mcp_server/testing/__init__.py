"""For authors of modules: a client in memory, in front of the whole chain."""

from __future__ import annotations

from mcp_server.testing.audit_view import AuditView
from mcp_server.testing.client_for import client_for
from mcp_server.testing.denial import Denial
from mcp_server.testing.module_client import ModuleClient

__all__ = ["AuditView", "Denial", "ModuleClient", "client_for"]
