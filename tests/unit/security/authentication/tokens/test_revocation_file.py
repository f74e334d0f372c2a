from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.tokens import revocation_file
from mcp_server.security.authentication.tokens.revocation_file import RevocationFile

NOW = 1000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "revoked.json"


def test_entries_of_every_kind_are_written_and_read(path: Path) -> None:
    writer = RevocationFile(path)
    writer.add({"issuer": "i", "token": "t", "until": 2000}, now=NOW)
    writer.add({"issuer": "i", "subject": "s", "before": 5}, now=NOW)
    writer.add({"issuer": "i", "subject": "s", "before": 3}, now=NOW)
    writer.add({"issuer": "i", "client_id": "c", "before": 6}, now=NOW)
    writer.add({"issuer": "i", "before": 7}, now=NOW)
    writer.add({"certificate": "a" * 64}, now=NOW)
    found = RevocationFile(path).current()
    assert dict(found.tokens) == {("i", "t"): 2000}
    assert dict(found.subjects) == {("i", "s"): 5}
    assert dict(found.clients) == {("i", "c"): 6}
    assert dict(found.issuers) == {"i": 7}
    assert found.certificates == {"a" * 64}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_tokens_that_have_ended_are_dropped_and_nothing_is_written_twice(path: Path) -> None:
    file = RevocationFile(path)
    for until in (NOW - 1, NOW + 1, NOW + 1):
        file.add({"issuer": "i", "token": f"t{until}", "until": until}, now=NOW)
    file.add({"issuer": "i", "token": "last", "until": NOW + 9}, now=NOW)
    entries = json.loads(path.read_text())["revoked"]
    assert [each["token"] for each in entries] == ["t1001", "last"]


def test_a_full_list_is_refused_and_not_cut(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation_file, "MAX_REVOCATIONS", 2)
    file = RevocationFile(path)
    for name in ("a", "b"):
        file.add({"issuer": "i", "token": name, "until": 2000}, now=NOW)
    with pytest.raises(ConfigurationError, match="by issuer, subject or client"):
        file.add({"issuer": "i", "token": "c", "until": 2000}, now=NOW)
    assert len(RevocationFile(path).current().tokens) == 2


def test_a_change_is_seen_and_an_unchanged_file_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = RevocationFile(path)
    assert not file.has_changed()
    RevocationFile(path).add({"issuer": "i", "before": 7}, now=NOW)
    assert file.has_changed()
    assert dict(file.current().issuers) == {"i": 7}
    monkeypatch.setattr(RevocationFile, "_load", lambda self: pytest.fail("read again"))
    assert not file.has_changed()


def test_a_list_that_is_gone_stays_in_force(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    RevocationFile(path).add({"issuer": "i", "before": 7}, now=NOW)
    file = RevocationFile(path)
    path.unlink()
    assert not file.has_changed()
    assert dict(file.current().issuers) == {"i": 7}
    assert "gone" in caplog.text


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"issuer": 1, "before": 7},
        {"issuer": "i"},
        {"issuer": "i", "before": "7"},
        {"issuer": "i", "before": True},
        {"issuer": "i", "before": -1},
        {"issuer": "i", "token": "t"},
        {"issuer": "i", "token": "t", "before": 7},
        {"issuer": "i", "token": 7, "until": 7},
        {"issuer": "i", "token": "t", "subject": "s", "until": 7},
        {"issuer": "i", "before": 7, "note": "x"},
        "entry",
        {"certificate": "AB"},
        {"certificate": 7},
        {"certificate": "a" * 64, "issuer": "i"},
    ],
)
def test_a_damaged_entry_makes_the_whole_list_unknown(path: Path, entry: Any, caplog: pytest.LogCaptureFixture) -> None:
    records: list[str] = []
    path.write_text(json.dumps({"version": 1, "revoked": [{"issuer": "i", "before": 7}, entry]}))
    file = RevocationFile(path, report=lambda kind, fields: records.append(kind))
    with pytest.raises(LookupError, match="no token or certificate"):
        file.current()
    assert records == ["keyset.changed"]
    assert "no token or certificate is accepted" in caplog.text
    # Nor is anything added to a list that is damaged, or a damaged entry to one that is not.
    with pytest.raises(ConfigurationError, match="an entry"):
        RevocationFile(path).add({"issuer": "i", "before": 9}, now=0)
    if isinstance(entry, dict):
        with pytest.raises(ConfigurationError, match="an entry"):
            RevocationFile(path.with_name("other")).add(entry, now=0)


def test_a_list_that_others_can_write_is_not_believed(path: Path) -> None:
    RevocationFile(path).add({"issuer": "i", "before": 7}, now=NOW)
    path.chmod(0o666)
    with pytest.raises(LookupError, match="no token"):
        RevocationFile(path).current()
    with pytest.raises(ConfigurationError, match="go-w"):
        RevocationFile(path).add({"issuer": "i", "before": 8}, now=NOW)
