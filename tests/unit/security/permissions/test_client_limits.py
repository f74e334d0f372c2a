from __future__ import annotations

from dataclasses import asdict, fields

from mcp_server.security.permissions.client_limits import LIMIT_CEILINGS, ClientLimits


def test_every_limit_has_a_ceiling_above_its_default() -> None:
    assert LIMIT_CEILINGS.keys() == {field.name for field in fields(ClientLimits)}
    defaults = {name: value for name, value in asdict(ClientLimits()).items() if value is not None}
    assert all(0 < value <= LIMIT_CEILINGS[name] for name, value in defaults.items())


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert asdict(ClientLimits()) == {
        "calls_per_minute": 600,
        "identical_calls": 120,
        "concurrent_calls": 64,
        "timeout_seconds": 30.0,
        "max_result_bytes": 8388608,
        "workspace_bytes": None,
        "workspace_files": None,
    }
