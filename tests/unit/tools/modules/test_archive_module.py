"""Archives as a client meets them: through the whole chain, in memory."""

from __future__ import annotations

import asyncio
import errno
import gzip
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_limits import KIBIBYTES, ArchiveLimits
from mcp_server.security.doors.write_plan import WritePlan
from mcp_server.testing import ModuleClient, client_for
from mcp_server.tools.modules.archive_module import ArchiveModule
from tests.support.archives import ZipMember, pax, tar_end, tar_member, zip_of

EVERYTHING = ("FILE_READ **", "FILE_WRITE **")
FILES = {"readme.md": b"# hello\n", "src/a.py": b"print(1)\n", "src/deep/b.bin": bytes(range(256)) * 300}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    return path


def within(
    folder: Path,
    work: Callable[[ModuleClient], Awaitable[Any]],
    *,
    allow: tuple[str, ...] = EVERYTHING,
    bounds: ArchiveLimits | None = None,
    answers: list[bool] | None = None,
    **options: Any,
) -> list[Mapping[str, Any]]:
    """Run `work` against a client in memory, and return the questions that its human was asked."""
    asked: list[Mapping[str, Any]] = []

    async def answer(method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        asked.append(params)
        return {"action": "accept", "content": {"allow": True}} if (answers or []).pop(0) else {"action": "decline"}

    async def main() -> None:
        async with client_for(
            ArchiveModule(limits=bounds), folder=folder, allow=allow, answer=answer, **options
        ) as client:
            await work(client)

    asyncio.run(main())
    return asked


def call(folder: Path, tool: str, /, **arguments: Any) -> Any:
    found: list[Any] = []

    async def work(client: ModuleClient) -> None:
        found.append(await client.call(tool, **arguments))

    within(folder, work)
    return found[0]


def effects(found: Mapping[str, Any]) -> dict[str, str]:
    return {each["path"]: each.get("reason", each["kind"]) for each in found["effects"]["effects"]}


def held(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def packed(name: str) -> bytes:
    file = io.BytesIO()
    if name.endswith(".zip"):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, data in FILES.items():
                archive.writestr(path, data)
        return file.getvalue()
    modes: dict[str, Any] = {"gz": "w:gz", "tgz": "w:gz", "bz2": "w:bz2", "xz": "w:xz", "tar": "w"}
    with tarfile.open(fileobj=file, mode=modes[name.rpartition(".")[2]]) as tar:
        for path, data in FILES.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return file.getvalue()


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz"])
def test_every_kind_is_extracted(folder: Path, name: str) -> None:
    (folder / name).write_bytes(packed(name))
    found = call(folder, "extract_archive", path=name, destination="out/here")
    assert held(folder / "out" / "here") == FILES
    assert found["effects"]["created"] == 3 + 3
    assert found["effects"]["refused"] == 0
    assert found["size_bytes"] == sum(map(len, FILES.values()))
    assert (found["dry_run"], found["stopped"]) == (False, None)


def test_what_is_in_it_is_listed(folder: Path) -> None:
    data = zip_of(ZipMember(b"a.txt", b"hello"), ZipMember(b"d/", attributes=0), ZipMember(b"../x\x1b[2J", b"x"))
    (folder / "a.zip").write_bytes(data)
    found = call(folder, "list_archive", path="a.zip")
    assert found == {
        "members": [
            {"name": "a.txt", "is_directory": False, "size_bytes": 5, "refused": None},
            {"name": "d/", "is_directory": True, "size_bytes": 0, "refused": None},
            {"name": "../x\\x1b[2J", "is_directory": False, "size_bytes": 1, "refused": "a name that leads upwards"},
        ],
        "count": 3,
        "size_bytes": 5,
        "stopped": None,
    }
    assert held(folder) == {"a.zip": data}


def test_a_dry_run_tells_the_same_and_writes_nothing(folder: Path) -> None:
    (folder / "a.tar").write_bytes(tar_member("d/a", b"1") + tar_member("l", type=b"2", linkname="x") + tar_end())
    before = held(folder)
    planned = call(folder, "extract_archive", path="a.tar", destination="out", dry_run=True)
    assert held(folder) == before
    assert not (folder / "out").exists()
    done = call(folder, "extract_archive", path="a.tar", destination="out")
    assert planned["dry_run"] is True
    assert {**planned, "dry_run": False} == done
    assert effects(done) == {"out": "created", "out/d": "created", "out/d/a": "created", "out/l": "symbolic link"}


def test_nothing_is_replaced(folder: Path) -> None:
    (folder / "a.tar").write_bytes(tar_member("a", b"new") + tar_member("b", b"new") + tar_end())
    (folder / "a").write_text("old")
    found = call(folder, "extract_archive", path="a.tar", destination=".")
    assert effects(found) == {"a": "exists already", "b": "created"}
    assert (folder / "a").read_text() == "old"


def test_files_are_plain_whatever_the_archive_says(folder: Path) -> None:
    (folder / "a.tar").write_bytes(tar_member("a", b"x", mode=0o777, uid=7, gid=7, mtime=1) + tar_end())
    call(folder, "extract_archive", path="a.tar", destination="out")
    status = (folder / "out" / "a").stat()
    assert status.st_mode & 0o7133 == 0
    assert (status.st_uid, status.st_gid) == (os.getuid(), os.getgid())
    assert status.st_mtime > 1


def test_each_file_is_permitted_by_itself(folder: Path) -> None:
    (folder / "a.tar").write_bytes(tar_member("a.txt", b"1") + tar_member("b.key", b"2") + tar_end())

    async def work(client: ModuleClient) -> None:
        found = await client.call("extract_archive", path="a.tar", destination="out")
        assert effects(found) == {"out": "created", "out/a.txt": "created", "out/b.key": "not permitted"}

    within(folder, work, allow=("FILE_READ **", "FILE_WRITE out", "FILE_WRITE out/*.txt"))
    assert held(folder / "out") == {"a.txt": b"1"}


@pytest.mark.parametrize(
    ("allow", "missing"),
    [
        (("FILE_READ *.zip", "FILE_WRITE **"), ("FILE_READ", "a.tar")),
        (("FILE_READ **", "FILE_WRITE other/**"), ("FILE_WRITE", "out")),
    ],
)
def test_both_ends_are_permitted_first(folder: Path, allow: tuple[str, ...], missing: tuple[str, str]) -> None:
    (folder / "a.tar").write_bytes(tar_member("a.txt", b"1") + tar_end())

    async def work(client: ModuleClient) -> None:
        denial = await client.denied("extract_archive", path="a.tar", destination="out")
        assert missing in denial.missing

    within(folder, work, allow=allow)
    assert not (folder / "out").exists()


def test_names_that_others_run_are_not_written(folder: Path) -> None:
    names = [".git/hooks/pre-commit", ".bashrc", "d/.env", "e/.GIT/config"]
    (folder / "a.tar").write_bytes(b"".join(tar_member(name, b"x") for name in (*names, "ok")) + tar_end())
    found = effects(call(folder, "extract_archive", path="a.tar", destination="."))
    assert [found[name] for name in names] == ["protected name"] * 4
    assert set(held(folder)) == {"a.tar", "ok"}


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_a_human_is_asked_once_for_everything(folder: Path, revision: str) -> None:
    (folder / "a.tar").write_bytes(b"".join(tar_member(f"{number}.txt", b"x") for number in range(5)) + tar_end())
    (folder / "out").mkdir()

    async def work(client: ModuleClient) -> None:
        found = await client.call("extract_archive", path="a.tar", destination="out")
        assert found["effects"]["created"] == 5

    allow = ("FILE_READ **", "FILE_WRITE out")
    asked = within(folder, work, allow=allow, ask=["FILE_WRITE out/**"], answers=[True], revision=revision)
    assert len(asked) == 1
    assert all(f"{number}.txt" in asked[0]["message"] for number in range(5))
    assert len(held(folder / "out")) == 5


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_and_nothing_is_written_when_he_does_not_agree(folder: Path, revision: str) -> None:
    (folder / "a.tar").write_bytes(tar_member("a.txt", b"x") + tar_end())

    async def work(client: ModuleClient) -> None:
        denial = await client.denied("extract_archive", path="a.tar", destination="out")
        assert "declined" in denial.message

    allow = ("FILE_READ **", "FILE_WRITE out")
    within(folder, work, allow=allow, ask=["FILE_WRITE out/**"], answers=[False], revision=revision)
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.zip", b"no zip", "it is no zip archive"),
        ("a.tar", b"x" * 512, "no tar archive"),
        ("a.tar.gz", b"no gzip", "damaged"),
        ("a.txt", b"text", "archives are .zip"),
        ("a.tar", b"", "empty"),
        ("a.tar", pax({"path": "x"}, b"g"), "all members that follow"),
        ("a.tgz", gzip.compress(b"\0" * 512)[:-4], None),
    ],
)
@pytest.mark.parametrize("tool", ["list_archive", "extract_archive"])
def test_what_cannot_be_read_at_all_is_an_error(
    folder: Path, tool: str, name: str, data: bytes, told: str | None
) -> None:
    (folder / name).write_bytes(data)

    async def work(client: ModuleClient) -> None:
        more = {"destination": "out"} if tool == "extract_archive" else {}
        result = await client.result(tool, path=name, **more)
        assert bool(result.get("isError")) == (told is not None)
        if told is not None:
            assert told in result["content"][0]["text"]

    within(folder, work)
    assert not (folder / "out").exists()


def test_an_archive_that_ends_in_the_middle_is_told_and_nothing_of_it_is_written(folder: Path) -> None:
    (folder / "a.tar").write_bytes(tar_member("a", b"1") + tar_member("b", b"2" * 600)[:700])

    async def work(client: ModuleClient) -> None:
        result = await client.result("extract_archive", path="a.tar", destination="out")
        assert not result.get("isError")
        assert "ends in the middle" in result["structuredContent"]["stopped"]
        assert effects(result["structuredContent"]) == {"out/a": "the archive cannot be read to its end"}
        assert "nothing was written" in result["content"][0]["text"]
        listed = await client.call("list_archive", path="a.tar")
        assert listed["count"] == 1

    within(folder, work)
    assert not (folder / "out").exists()


def test_a_missing_archive_is_the_usual_error(folder: Path) -> None:
    async def work(client: ModuleClient) -> None:
        result = await client.result("list_archive", path="a.zip")
        assert "does not exist" in result["content"][0]["text"]

    within(folder, work)


def test_an_archive_larger_than_one_read_is_copied_in_pieces(folder: Path) -> None:
    noise = os.urandom(3_000_000)
    (folder / "a.tar").write_bytes(tar_member("a", noise) + tar_member("b", noise[::-1]) + tar_end())
    call(folder, "extract_archive", path="a.tar", destination="out")
    assert held(folder / "out") == {"a": noise, "b": noise[::-1]}


def test_an_archive_larger_than_the_bound_is_not_copied(folder: Path) -> None:
    (folder / "a.tar").write_bytes(tar_member("a", bytes(100 * KIBIBYTES)) + tar_end())

    async def work(client: ModuleClient) -> None:
        result = await client.result("list_archive", path="a.tar")
        assert "may have 64 KiB" in result["content"][0]["text"]

    within(folder, work, bounds=ArchiveLimits(max_archive_bytes=64 * KIBIBYTES))


def test_a_quota_stops_what_is_beyond_it_and_tells(folder: Path) -> None:
    (folder / "a.tar").write_bytes(b"".join(tar_member(f"{number}", b"x" * 2_000) for number in range(4)) + tar_end())
    size = (folder / "a.tar").stat().st_size

    async def work(client: ModuleClient) -> None:
        found = await client.call("extract_archive", path="a.tar", destination="out")
        assert list(effects(found).values()).count("quota used up") == 2

    within(folder, work, limits={"workspace_bytes": size + 5_000})
    assert len(held(folder / "out")) == 2


def after_judging(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object], *, directories: bool = False) -> None:
    """Let somebody act between the moment when files, or directories, are judged and that when they are written."""
    judge = WritePlan.refusals

    def refusals(self: WritePlan, paths: Any, *, are_directories: bool = False) -> Any:
        found = judge(self, paths, are_directories=are_directories)
        if are_directories == directories:
            act()
        return found

    monkeypatch.setattr(WritePlan, "refusals", refusals)


def test_a_file_that_somebody_else_makes_meanwhile_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.tar").write_bytes(tar_member("a", b"mine") + tar_member("b", b"mine") + tar_end())
    after_judging(monkeypatch, lambda: (folder / "a").write_text("theirs"))
    found = call(folder, "extract_archive", path="a.tar", destination=".")
    assert effects(found) == {"a": "exists already", "b": "created"}
    assert (folder / "a").read_text() == "theirs"


def test_a_directory_that_becomes_something_else_meanwhile_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.tar").write_bytes(tar_member("d/a", b"mine") + tar_member("e/b", b"mine") + tar_end())
    after_judging(monkeypatch, lambda: (folder / "d").symlink_to(tmp_path))
    found = call(folder, "extract_archive", path="a.tar", destination=".")
    assert effects(found)["e/b"] == "created"
    assert set(effects(found).values()) == {"created", "symbolic link"}
    assert not (tmp_path / "a").exists()


def test_what_takes_too_long_the_second_time_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.tar").write_bytes(tar_member("a", b"1") + tar_end())

    def out_of_time(self: ArchiveBudget) -> None:
        raise LimitExceededError("max_seconds", "too long")

    after_judging(monkeypatch, lambda: monkeypatch.setattr(ArchiveBudget, "tick", out_of_time))
    found = call(folder, "extract_archive", path="a.tar", destination=".")
    assert effects(found) == {"a": "the archive cannot be read to its end"}


def test_without_room_for_the_copy_nothing_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "a.tar").write_bytes(tar_member("a", b"1") + tar_end())

    def full(self: Any, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "write", full)

    async def work(client: ModuleClient) -> None:
        result = await client.result("list_archive", path="a.tar")
        assert "no room" in result["content"][0]["text"]

    within(folder, work)


def test_long_lists_are_cut_and_say_so(folder: Path) -> None:
    (folder / "a.tar").write_bytes(b"".join(tar_member(f"../{number}") for number in range(1_002)) + tar_end())

    async def work(client: ModuleClient) -> None:
        listed = await client.result("list_archive", path="a.tar")
        assert listed["content"][0]["text"].endswith("[2 more]")
        assert listed["structuredContent"]["count"] == 1_002
        assert len(listed["structuredContent"]["members"]) == 1_000
        result = await client.result("extract_archive", path="a.tar", destination="out")
        assert result["content"][0]["text"].endswith("- and 982 more")

    within(folder, work)


def test_the_archive_may_change_while_it_is_extracted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = folder / "a.tar"
    archive.write_bytes(tar_member("a", b"judged") + tar_end())
    after_judging(monkeypatch, lambda: archive.write_bytes(tar_member("a", b"hidden") + tar_end()))
    call(folder, "extract_archive", path="a.tar", destination="out")
    assert (folder / "out" / "a").read_bytes() == b"judged"


def test_no_copy_is_left_behind(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    (folder / "a.tar").write_bytes(tar_member("a", os.urandom(2_000_000)) + tar_end())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    call(folder, "list_archive", path="a.tar")
    call(folder, "extract_archive", path="a.tar", destination="out")
    assert not [path for path in (tmp_path / "tmp").rglob("*") if path.is_file() and "state" not in str(path)]


def test_a_long_ledger_is_cut_and_counted(folder: Path) -> None:
    members = b"".join(tar_member(f"{number}", type=b"2", linkname="x") for number in range(300))
    (folder / "a.tar").write_bytes(members + tar_member("ok", b"x") + tar_end())
    found = call(folder, "extract_archive", path="a.tar", destination="out")
    assert (found["effects"]["refused"], found["effects"]["created"]) == (300, 2)
    assert len(found["effects"]["effects"]) == 250
    assert found["effects"]["truncated"]


def test_no_parser_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys; import mcp_server.tools.modules.archive_module;"
        "print([n for n in ('tarfile', 'zipfile', 'lzma', 'bz2', 'mcp_server.resources.archives') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True, timeout=60)
    assert done.stdout == "[]\n"
