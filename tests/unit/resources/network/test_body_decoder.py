from __future__ import annotations

import gzip
import zlib

import pytest

from mcp_server.errors.limit_exceeded_error import LimitExceededError
from mcp_server.errors.resource_unavailable_error import ResourceUnavailableError
from mcp_server.resources.network.body_decoder import BodyDecoder

TEXT = b"the same again and again " * 100


@pytest.mark.parametrize(
    ("encoding", "data"),
    [("", TEXT), ("identity", TEXT), ("gzip", gzip.compress(TEXT)), (" X-GZip ", gzip.compress(TEXT)),
     ("deflate", zlib.compress(TEXT))],
)  # fmt: skip
@pytest.mark.parametrize("step", [1, 7, 10_000])
def test_a_body_is_what_it_was_however_it_comes(encoding: str, data: bytes, step: int) -> None:
    decoder = BodyDecoder(encoding, max_bytes=len(TEXT))
    for at in range(0, len(data), step):
        decoder.feed(data[at : at + step])
    decoder.feed(b"")
    assert decoder.finish() == TEXT


@pytest.mark.parametrize(("encoding", "data"), [("", TEXT), ("gzip", gzip.compress(TEXT))])
def test_one_byte_too_many_is_too_many(encoding: str, data: bytes) -> None:
    with pytest.raises(LimitExceededError) as caught:
        BodyDecoder(encoding, max_bytes=len(TEXT) - 1).feed(data)
    assert caught.value.limit == "max_body_bytes"


def test_nothing_is_nothing() -> None:
    assert BodyDecoder("gzip", max_bytes=10).finish() == b""


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip,", "compress", "utf-8"])
def test_what_was_not_asked_for_is_refused(encoding: str) -> None:
    with pytest.raises(ResourceUnavailableError, match="not asked for"):
        BodyDecoder(encoding, max_bytes=10)
