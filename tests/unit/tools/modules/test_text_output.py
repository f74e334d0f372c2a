from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.tools.modules.text_output import cut_at_line, file_uri, fit_lines, human_size, media_type


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_uris_lead_back(name: str) -> None:
    uri = file_uri("/" + name)
    assert uri.isascii()
    assert unquote(uri.removeprefix("file://")) == "/" + name
    assert "?" not in uri
    assert file_uri("/" + name, 5) == uri + "?offset=5"


@given(st.text(), st.integers(1, 20))
def test_what_is_cut_is_whole_characters(text: str, budget: int) -> None:
    data = text.encode("utf-8", "replace")
    cut = cut_at_line(data[:budget])
    cut.decode()
    assert data.startswith(cut)
    shown, is_cut = fit_lines(text, budget)
    assert is_cut == (len(data) > budget)
    assert is_cut or shown == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KB"), (5 * 1024**2, "5.00 MB"), (2**60, "1048576.00 TB")],
)
def test_sizes(size: int, text: str) -> None:
    assert human_size(size) == text


def test_media_types() -> None:
    assert media_type("/a.b/c") == "application/octet-stream"
    assert media_type("/a.b/c", is_text=True) == "text/plain"
    assert media_type("/x.svg", is_text=True) == "image/svg+xml"
    assert media_type("/x.MP3") == "audio/mpeg"
