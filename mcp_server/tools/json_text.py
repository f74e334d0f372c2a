"""Decoding arguments that a model wrote as JSON inside a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json


def decode_texts(arguments: dict[str, Any], decodable: Mapping[str, tuple[type, ...]]) -> bool:
    """Replace, in place, texts that hold JSON of the declared type; everything else is left to the validator.

    Args:
        arguments: A copy of the arguments.
        decodable: The arguments whose type cannot be text, with the Python types their values may have.

    Returns:
        Whether anything was replaced.

    >>> arguments = {"n": "3", "l": "[1]", "b": "maybe"}
    >>> decode_texts(arguments, {"n": (int,), "l": (list,), "b": (bool,)}), arguments
    (True, {'n': 3, 'l': [1], 'b': 'maybe'})
    """
    changed = False
    for name in arguments.keys() & decodable.keys():
        value = arguments[name]
        if type(value) is not str:
            continue
        try:
            decoded = from_json(value, allow_inf_nan=False)
        except (ValueError, RecursionError):
            continue
        # The exact type: `true` is no integer.
        if type(decoded) in decodable[name]:
            arguments[name] = decoded
            changed = True
    return changed
