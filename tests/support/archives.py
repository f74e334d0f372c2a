"""Archives as somebody hostile writes them, and extractors that believe them."""

from __future__ import annotations

import gzip
import io
import os
import struct
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any


def tar_header(name: str | bytes, **fields: Any) -> bytes:
    """Return one block; `fields` are attributes of `tarfile.TarInfo`, and `magic` and `prefix` raw bytes."""
    raw = {key: fields.pop(key) for key in ("magic", "prefix", "name_field") if key in fields}
    entry = tarfile.TarInfo("x")
    for key, value in fields.items():
        setattr(entry, key, value)
    block = bytearray(entry.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape")[:512])
    encoded = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
    block[0:100] = encoded[:100].ljust(100, b"\0")
    if "magic" in raw:
        block[257:265] = raw["magic"].ljust(8, b"\0")
    if "prefix" in raw:
        block[345:500] = raw["prefix"].ljust(155, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def tar_member(name: str | bytes, data: bytes = b"", **fields: Any) -> bytes:
    """Return a header with its content."""
    fields.setdefault("size", len(data))
    return tar_header(name, **fields) + data + b"\0" * (-len(data) % 512)


def pax(records: dict[str, str] | bytes, kind: bytes = b"x") -> bytes:
    """Return a pax header."""
    data = records if isinstance(records, bytes) else b"".join(map(pax_record, records, records.values()))
    return tar_member("pax", data, type=kind)


def pax_record(name: str, value: str) -> bytes:
    rest = f" {name}={value}\n".encode("utf-8", "surrogateescape")
    length = len(rest) + len(str(len(rest)))
    length = len(rest) + len(str(length))
    return str(length).encode() + rest


def tar_end() -> bytes:
    return b"\0" * 1024


@dataclass(frozen=True)
class ZipMember:
    """One member, said twice; `local` are the differences of its own header."""

    name: bytes
    data: bytes = b""
    flags: int = 0
    method: int = 0
    attributes: int = 0o100644 << 16
    extra: bytes = b""
    packed: bytes | None = None
    size: int | None = None
    crc: int | None = None
    offset: int | None = None
    local: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        if self.packed is not None:
            return self.packed
        if self.method != 8:
            return self.data
        compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
        return compressor.compress(self.data) + compressor.flush()

    def numbers(self) -> tuple[int, int, int, int, int]:
        size = len(self.data) if self.size is None else self.size
        crc = zlib.crc32(self.data) if self.crc is None else self.crc
        return self.flags, self.method, crc, len(self.content), size


def zip_of(*members: ZipMember, comment: bytes = b"", before: bytes = b"", behind: bytes = b"") -> bytes:
    """Return a zip archive; `before` stands before it and `behind` between members and directory."""
    file, directory = bytearray(before), bytearray()
    for member in members:
        offset = len(file) if member.offset is None else member.offset
        own = replace(member, **{"local": {}, **member.local})
        flags, method, crc, packed, size = own.numbers()
        file += struct.pack("<4sHHHHHLLLHH", b"PK\3\4", 20, flags, method, 0, 0x21, crc, packed, size, len(own.name),
                            len(own.extra))  # fmt: skip
        file += own.name + own.extra + own.content
        flags, method, crc, packed, size = member.numbers()
        directory += struct.pack(
            "<4sHHHHHHLLLHHHHHLL", b"PK\1\2", 0x0314, 20, flags, method, 0, 0x21, crc, packed, size, len(member.name),
            len(member.extra), 0, 0, 0, member.attributes, offset,
        )  # fmt: skip
        directory += member.name + member.extra
    file += behind
    end = struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, len(members), len(members), len(directory), len(file),
                      len(comment))  # fmt: skip
    return bytes(file) + bytes(directory) + end + comment


def bomb_tar_gz(size: int) -> bytes:
    """Return a compressed tar archive of one file of zeros."""
    data = io.BytesIO()
    with gzip.GzipFile(fileobj=data, mode="wb", mtime=0) as stream:
        stream.write(tar_header("zeros", size=size))
        for _ in range(size // 1_000_000):
            stream.write(b"\0" * 1_000_000)
        stream.write(tar_end())
    return data.getvalue()


def believe_tar(data: bytes, destination: Path) -> None:
    """Extract as was usual for thirty years."""
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        # Interpreters of before 3.11.4 know no filter, and believe everything.
        archive.extraction_filter = lambda member, path: member
        archive.extractall(destination)


def believe_zip(data: bytes, destination: Path) -> None:
    """Extract by the names that stand in the archive."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info in archive.infolist():
            path = os.path.join(destination, info.filename)
            if stat_kind(info) == 0o120000:
                os.symlink(archive.read(info), path)
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            Path(path).write_bytes(archive.read(info))


def stat_kind(info: zipfile.ZipInfo) -> int:
    return info.external_attr >> 16 & 0o170000
