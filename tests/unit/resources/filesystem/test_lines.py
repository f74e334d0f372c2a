from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.resources.filesystem import lines as module
from mcp_server.resources.filesystem.file_content import FileContent
from mcp_server.resources.filesystem.lines import PartReader, first_lines, last_lines


def reader(data: bytes, chunk: int) -> PartReader:
    def read(offset: int, most: int) -> FileContent:
        most = min(most, chunk)
        part = data[offset : offset + most]
        return FileContent(part, len(data), 0.0, offset, offset + len(part) < len(data))

    return read


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b"", b"a", b"bc", b"\r"]), max_size=8), st.booleans(), st.integers(0, 10))
def test_lines_are_those_of_a_split(parts: list[bytes], ends: bool, count: int) -> None:
    data = b"\n".join(parts) + (b"\n" if ends else b"")
    whole = [line + b"\n" for line in data.split(b"\n")]
    whole[-1] = whole[-1][:-1]
    if not whole[-1]:
        whole.pop()
    assert first_lines(reader(data, 3), count, max_bytes=1_000) == b"".join(whole[:count])
    assert last_lines(reader(data, 1_000), count, size=len(data), max_bytes=1_000) == b"".join(
        whole[max(0, len(whole) - count) :]
    )


def test_a_long_tail_is_read_in_growing_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", 4)
    data = b"".join(b"line %d\n" % number for number in range(100))
    assert last_lines(reader(data, 10_000), 2, size=len(data), max_bytes=1_000) == b"line 98\nline 99\n"


def test_lines_that_are_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_BYTES", 4)
    data = b"x" * 100
    with pytest.raises(LimitExceededError):
        first_lines(reader(data, 4), 1, max_bytes=50)
    with pytest.raises(LimitExceededError):
        last_lines(reader(data, 1_000), 1, size=100, max_bytes=50)
