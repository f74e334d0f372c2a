from __future__ import annotations

import json
from typing import Any

import pytest

from mcp_server.security.authentication.key_sets.key_address import KeyAddress
from mcp_server.security.authentication.key_sets.remote_key_source import (
    MAX_STALE_SECONDS,
    REFRESH_SECONDS,
    RETRY_SECONDS,
    RemoteKeySource,
)
from tests.security.chain.fake_clock import FakeClock
from tests.support.tokens import EC_KEY, ED_KEY, ISSUER


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def records() -> list[Any]:
    return []


@pytest.fixture
def source(clock: FakeClock, records: list[Any]) -> RemoteKeySource:
    return RemoteKeySource(
        name="as",
        issuer=ISSUER,
        address=KeyAddress("https://as.example/keys"),
        clock=clock,
        report=lambda kind, fields: records.append((kind, fields)),
    )


def document(*keys: Any) -> bytes:
    return json.dumps({"keys": [key.public_jwk() for key in keys]}).encode()


def fetched(source: RemoteKeySource, *keys: Any) -> None:
    source.begin()
    source.take(document(*keys))


def test_until_there_are_keys_there_are_none_and_they_are_wanted(source: RemoteKeySource) -> None:
    with pytest.raises(LookupError, match="not been fetched yet"):
        source.keys()
    assert source.is_due
    fetched(source, ED_KEY)
    assert source.keys().select(None).key_id == "as-ed-1"
    assert not source.is_due
    assert [source.has_changed() for _ in range(2)] == [True, False]


def test_they_are_fetched_again_at_half_time(source: RemoteKeySource, clock: FakeClock) -> None:
    fetched(source, ED_KEY)
    clock.advance(REFRESH_SECONDS - 1)
    assert not source.is_due
    clock.advance(1)
    assert source.is_due


def test_an_unknown_key_asks_for_one_fetch_in_half_a_minute(source: RemoteKeySource, clock: FakeClock) -> None:
    fetched(source, ED_KEY)
    fetches = 0
    for _ in range(10_000):
        source.missed()
        clock.advance(0.01)
        if source.is_due:
            fetches += 1
            fetched(source, ED_KEY)
    assert fetches == 100 // RETRY_SECONDS


def test_a_removed_key_is_gone_at_once(source: RemoteKeySource, records: list[Any]) -> None:
    fetched(source, ED_KEY, EC_KEY)
    fetched(source, EC_KEY)
    assert list(source.keys().keys) == ["client-ec"]
    assert source.has_changed()
    assert [fields["keys"] for _, fields in records] == [["as-ed-1", "client-ec"], ["client-ec"]]


def test_a_bad_document_changes_nothing(source: RemoteKeySource) -> None:
    fetched(source, ED_KEY)
    assert source.has_changed()
    for bad in (b"<html>", b'{"keys":[]}', json.dumps({"keys": [ED_KEY.private_jwk()]}).encode()):
        with pytest.raises(ValueError, match="key"):
            source.take(bad)
    assert not source.has_changed()
    assert source.keys().select(None).key_id == "as-ed-1"


def test_a_failure_is_on_record_once_and_tried_again(
    source: RemoteKeySource, clock: FakeClock, records: list[Any]
) -> None:
    fetched(source, ED_KEY)
    clock.advance(REFRESH_SECONDS)
    for _ in range(3):
        assert source.is_due
        source.begin()
        source.fail("nobody answers")
        assert not source.is_due
        clock.advance(RETRY_SECONDS)
    assert [fields["reason"] for _, fields in records] == [None, "not fetched: nobody answers"]
    assert source.keys().select(None).key_id == "as-ed-1"
    fetched(source, ED_KEY)
    assert not source.is_due


def test_keys_that_cannot_be_fetched_again_are_used_for_a_day(source: RemoteKeySource, clock: FakeClock) -> None:
    fetched(source, ED_KEY)
    source.has_changed()
    clock.advance(MAX_STALE_SECONDS)
    assert source.keys()
    assert not source.has_changed()
    clock.advance(1)
    with pytest.raises(LookupError, match="too old"):
        source.keys()
    # What was verified by them is judged anew.
    assert [source.has_changed() for _ in range(2)] == [True, False]
    fetched(source, ED_KEY)
    assert source.has_changed()
    assert source.keys()
