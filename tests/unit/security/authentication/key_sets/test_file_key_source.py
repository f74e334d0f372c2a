from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.configuration_error import ConfigurationError
from mcp_server.security.authentication.key_sets.file_key_source import FileKeySource
from tests.support.tokens import EC_KEY, ED_KEY, SECRET_KEY


def write(path: Path, *jwks: Any, mode: int = 0o600) -> None:
    path.write_text(json.dumps({"keys": jwks}))
    path.chmod(mode)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write(tmp_path / "jwks.json", ED_KEY.public_jwk())
    return tmp_path / "jwks.json"


@pytest.fixture
def records() -> list[tuple[str, Any]]:
    return []


@pytest.fixture
def source(path: Path, records: list[tuple[str, Any]]) -> FileKeySource:
    return FileKeySource(name="as", path=path, report=lambda kind, fields: records.append((kind, dict(fields))))


def test_an_unchanged_file_is_not_read_again(source: FileKeySource, records: list[Any]) -> None:
    before = source.keys()
    source.missed()
    assert not source.has_changed()
    assert source.keys() is before
    assert records == []


def test_a_removed_key_is_gone_at_once(source: FileKeySource, path: Path, records: list[Any]) -> None:
    write(path, EC_KEY.public_jwk())
    assert source.has_changed()
    assert list(source.keys().keys) == ["client-ec"]
    assert records == [("keyset.changed", {"issuer": "as", "keys": ["client-ec"], "reason": None})]


@pytest.mark.parametrize("spoil", ["{", "mode", "private"])
def test_a_bad_file_keeps_the_old_keys_and_is_on_record_once(
    source: FileKeySource, path: Path, records: list[Any], spoil: str
) -> None:
    if spoil == "{":
        path.write_text("{")
    elif spoil == "mode":
        write(path, EC_KEY.public_jwk(), mode=0o666)
    else:
        write(path, ED_KEY.private_jwk())
    assert not source.has_changed()
    assert not source.has_changed()
    assert list(source.keys().keys) == ["as-ed-1"]
    assert [fields["reason"] for _, fields in records] == ["the file cannot be used; the keys stay what they were"]


def test_a_file_that_is_gone_takes_its_keys_along(source: FileKeySource, path: Path, records: list[Any]) -> None:
    path.unlink()
    assert source.has_changed()
    with pytest.raises(LookupError, match="no keys"):
        source.keys()
    assert records[0][1]["reason"] == "the file is gone"
    write(path, ED_KEY.public_jwk())
    assert source.has_changed()
    assert source.keys().select(None).key_id == "as-ed-1"


def test_secrets_are_read_only_from_a_file_that_is_closed_to_others(path: Path, records: list[Any]) -> None:
    write(path, SECRET_KEY.private_jwk())
    open_to_secrets = FileKeySource(name="as", path=path, report=lambda *_: None, is_secret=True)
    assert open_to_secrets.keys().select("home-1").algorithm.is_symmetric
    for is_secret, mode in ((False, 0o600), (True, 0o644)):
        write(path, SECRET_KEY.private_jwk(), mode=mode)
        with pytest.raises(ConfigurationError, match="secret"):
            FileKeySource(name="as", path=path, report=lambda *_: None, is_secret=is_secret)


def test_a_file_that_cannot_be_used_to_begin_with_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        FileKeySource(name="as", path=tmp_path / "none", report=lambda *_: None)


def test_a_file_that_need_not_work_has_no_keys_until_it_does(tmp_path: Path, records: list[Any]) -> None:
    late = FileKeySource(
        name="as",
        path=tmp_path / "late.json",
        report=lambda kind, fields: records.append((kind, dict(fields))),
        must_work=False,
    )
    for _ in range(2):
        assert not late.has_changed()
        with pytest.raises(LookupError, match="no keys"):
            late.keys()
    write(tmp_path / "late.json", ED_KEY.public_jwk())
    assert late.has_changed()
    assert late.keys().select(None).key_id == "as-ed-1"
    assert [fields["reason"] for _, fields in records] == ["the keys cannot be used", None]
