"""Which revision a client gets."""

from __future__ import annotations

import pytest

from mcp_server.errors.protocol_error import ProtocolError
from mcp_server.protocol.revisions.revision_registry import RevisionRegistry
from tests.support.spec_validator import SpecValidator

REGISTRY = RevisionRegistry()


@pytest.mark.parametrize("date", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_a_known_handshake_date_is_taken(date: str) -> None:
    assert REGISTRY.negotiate(date).date == date


@pytest.mark.parametrize("date", ["2026-07-28", "1999-01-01", "", "2025-11-25 "])
def test_any_other_date_gives_the_newest_handshake(date: str) -> None:
    assert REGISTRY.negotiate(date).date == "2025-11-25"


def test_the_modern_date_is_served() -> None:
    assert REGISTRY.modern("2026-07-28").date == "2026-07-28"
    assert REGISTRY.modern_dates == ("2026-07-28",)
    assert REGISTRY.handshake_dates == ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")


@pytest.mark.parametrize("version", ["2025-11-25", "v999.0.0", "x" * 1000])
def test_an_unserved_modern_version_is_refused_with_what_is_served(version: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        REGISTRY.modern(version)
    error = {"code": int(caught.value.code), "message": caught.value.message, "data": caught.value.data}
    SpecValidator("2026-07-28").error({"jsonrpc": "2.0", "id": 1, "error": error})
    assert caught.value.code == -32022
    assert caught.value.data["requested"] == version[:64]


def test_every_revision_has_its_own_date() -> None:
    dates = [revision.date for revision in REGISTRY.all]
    assert dates == sorted(set(dates))
