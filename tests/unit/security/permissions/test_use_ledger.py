from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mcp_server.security.permissions import use_ledger
from mcp_server.security.permissions.grant_limits import GrantLimits
from mcp_server.security.permissions.use_ledger import UseLedger

THREE = GrantLimits("three", max_uses=3)
ONE = GrantLimits("one", max_uses=1)


@pytest.fixture(params=["memory", "files"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> UseLedger:
    return UseLedger(directory=tmp_path / "uses" if request.param == "files" else None)


def test_a_grant_is_used_as_often_as_it_says(ledger: UseLedger) -> None:
    assert ledger.left(THREE) == 3
    assert [ledger.spend([THREE]) for _ in range(5)] == [True, True, True, False, False]
    assert ledger.left(THREE) == 0
    assert ledger.left(ONE) == 1


def test_what_is_not_counted_has_no_uses_to_spend(ledger: UseLedger) -> None:
    unlimited = GrantLimits("k")
    assert ledger.left(unlimited) == 0
    assert not ledger.spend([unlimited])


def test_a_call_that_wants_too_much_leaves_what_there_is(ledger: UseLedger) -> None:
    assert not ledger.spend([THREE] * 4)
    assert not ledger.spend([ONE, THREE, ONE])
    assert (ledger.left(THREE), ledger.left(ONE)) == (3, 1)
    assert ledger.spend([THREE, THREE, THREE, ONE])


def test_a_higher_number_adds_to_what_is_left(ledger: UseLedger) -> None:
    assert ledger.spend([THREE, THREE, THREE])
    assert ledger.left(GrantLimits("three", max_uses=5)) == 2
    assert ledger.left(GrantLimits("three", max_uses=2)) == 0


def test_a_server_that_starts_anew_goes_on_counting(tmp_path: Path) -> None:
    for left in (3, 2, 1):
        assert UseLedger(directory=tmp_path / "uses").left(THREE) == left
        assert UseLedger(directory=tmp_path / "uses").spend([THREE])
    assert not UseLedger(directory=tmp_path / "uses").spend([THREE])
    # The control: in memory it would begin anew.
    assert UseLedger().left(THREE) == 3


def test_nobody_else_may_read_or_write_the_counts(tmp_path: Path) -> None:
    UseLedger(directory=tmp_path / "uses").spend([ONE])
    assert (tmp_path / "uses").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "uses" / "one").stat().st_mode & 0o777 == 0o600


def test_of_many_at_once_no_more_are_granted_than_there_are(ledger: UseLedger, tmp_path: Path) -> None:
    hundred = GrantLimits("hundred", max_uses=100)
    # Two servers of one client where there are files.
    other = ledger if ledger._directory is None else UseLedger(directory=ledger._directory)
    barrier = Barrier(8)

    def use(number: int) -> int:
        barrier.wait(timeout=60)
        return sum((ledger, other)[number % 2].spend([hundred]) for _ in range(50))

    with ThreadPoolExecutor(8) as pool:
        granted = sum(pool.map(use, range(8)))
    assert granted <= 100
    # Those that came one after the other are all there; only the last ones can get in each other's way.
    assert granted >= 92
    assert ledger.left(hundred) == 0


def test_two_that_come_for_the_last_use_do_not_both_get_it(ledger: UseLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    append = UseLedger._append
    results: list[bool] = []

    def overtaken(self: UseLedger, key: str, count: int) -> int:
        # Between the look and the byte, another server takes the use.
        monkeypatch.setattr(UseLedger, "_append", append)
        results.append(self.spend([ONE]))
        return append(self, key, count)

    monkeypatch.setattr(UseLedger, "_append", overtaken)
    assert not ledger.spend([ONE])
    assert results == [True]


def test_what_cannot_be_counted_is_not_granted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    ledger = UseLedger(directory=tmp_path / "file")
    assert ledger.left(ONE) == 0
    assert "cannot be counted" in caplog.text


def test_a_full_disk_grants_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ledger = UseLedger(directory=tmp_path / "uses")
    assert ledger.spend([THREE])

    def nothing_written(descriptor: int, data: bytes) -> int:
        return 0

    with monkeypatch.context() as patch:
        patch.setattr(use_ledger.os, "write", nothing_written)
        assert not ledger.spend([THREE])
    assert "cannot be counted" in caplog.text
    assert ledger.spend([THREE])


def test_a_link_in_the_place_of_a_count_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "uses").mkdir()
    (tmp_path / "uses" / "one").symlink_to(tmp_path / "elsewhere")
    assert not UseLedger(directory=tmp_path / "uses").spend([ONE])
    assert not os.path.lexists(tmp_path / "elsewhere")
