"""Archives: whatever the bytes, all that would be written lies below the destination, once, and within the bounds."""

from __future__ import annotations

import contextlib
import gzip
import io
import os.path
import tarfile

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.archives.archive_budget import ArchiveBudget
from mcp_server.resources.archives.archive_formats import reader_of
from mcp_server.resources.archives.archive_limits import ArchiveLimits
from mcp_server.resources.archives.archive_plan import ArchivePlan
from tests.support.archives import ZipMember, pax, tar_end, tar_member, zip_of

name = "archive"

LIMITS = ArchiveLimits(max_total_bytes=1024 * 1024, max_member_bytes=4096, max_members=50, max_header_bytes=4096)

_TAR = (
    tar_member("d/", type=b"5")
    + tar_member("d/a.txt", b"hello")
    + pax({"path": "d/" + "x" * 120})
    + tar_member("d/" + "x" * 98, b"data")
    + tar_member("link", type=tarfile.SYMTYPE, linkname="/etc")
    + tar_member("../up", b"x")
    + tar_end()
)
_ZIP = zip_of(
    ZipMember(b"a.txt", b"hello", method=8),
    ZipMember(b"d/", attributes=0o040755 << 16),
    ZipMember(b"d/b", b"x" * 50, flags=8),
    ZipMember(b"../up", b"x"),
)

corpus = (_TAR, _ZIP, gzip.compress(_TAR, mtime=0), _ZIP[:60], _TAR[:600])


def _mended(data: bytes) -> bytes:
    """Return a tar archive whose headers have the checksums that they should have, so that more than these is tried."""
    mended = bytearray(data)
    for at in range(0, len(mended) - 511, 512):
        if mended[at + 257 : at + 262] == b"ustar":
            mended[at + 148 : at + 156] = b" " * 8
            mended[at + 148 : at + 156] = b"%06o\0 " % sum(mended[at : at + 512])
    return bytes(mended)


def run(data: bytes) -> None:
    """Read the bytes as each kind of archive."""
    for kind, content in (("a.zip", data), ("a.tar", data), ("a.tar", _mended(data)), ("a.tgz", data)):
        plan = None
        reader = None
        with contextlib.suppress(ResourceUnavailableError, LimitExceededError):
            reader = reader_of(kind, io.BytesIO(content))
            plan = ArchivePlan.of(reader, ArchiveBudget(LIMITS))
        if plan is None or reader is None:
            continue
        places = ["/".join(member.parts) for member in plan.accepted if not member.is_directory]
        assert len({place.casefold() for place in places}) == len(places)
        for member in plan.accepted:
            assert os.path.normpath(os.path.join("/d", member.name)) == os.path.join("/d", *member.parts).rstrip("/")
            assert member.size_bytes <= LIMITS.max_member_bytes
        assert len(plan.members) <= LIMITS.max_members
        assert plan.stopped is None or not plan.accepted
        if plan.stopped is None:
            # The second pass finds what the first has judged.
            found = dict(reader.members(ArchiveBudget(LIMITS), {member.index for member in plan.accepted}))
            for member in plan.accepted:
                assert member.is_directory or len(found[member] or b"") == member.size_bytes
