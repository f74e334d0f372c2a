"""JSON values and messages of every shape, for the property tests beside this file."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ['":', '\\":', '"', "\\", "[{", "a:b", "id"]
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXTS, VALUES, max_size=4)
IDS = st.integers(-(2**63) + 1, 2**63 - 1) | st.text(st.characters(codec="utf-8"), max_size=20)
METHODS = st.sampled_from(["tools/call", "ping", "notifications/progress"]) | TEXTS.filter(bool)
