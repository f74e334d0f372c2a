"""Content blocks as older revisions want them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcp_server.protocol.revisions.wire_fields import WireFields, only

_OWN_MEMBERS: Final = {
    "text": frozenset({"type", "text"}),
    "image": frozenset({"type", "data", "mimeType"}),
    "audio": frozenset({"type", "data", "mimeType"}),
    "resource": frozenset({"type", "resource"}),
}


def project_block(block: Mapping[str, Any], types: frozenset[str], fields: WireFields) -> dict[str, Any]:
    """Return a content block of the newest shape in the words of a revision.

    A type the revision does not know is not dropped, for a model would then answer from nothing: sound travels as an
    embedded resource, everything else as a text that names it.

    Args:
        block: The block.
        types: The types of block the revision knows.
        fields: The members the revision knows.

    >>> link = {"type": "resource_link", "uri": "file:///a.txt", "name": "a.txt"}
    >>> project_block(link, frozenset({"text"}), WireFields())
    {'type': 'text', 'text': 'a.txt: file:///a.txt'}
    """
    kind = block["type"]
    if kind not in types:
        return _substitute(block, types, fields)
    if kind == "resource_link":
        projected = only(block, fields.resource_link | {"type"})
    elif kind in _OWN_MEMBERS:
        projected = only(block, _OWN_MEMBERS[kind] | fields.block)
        if kind == "resource":
            projected["resource"] = only(block["resource"], fields.resource_contents)
    else:
        projected = dict(block)
    if "annotations" in projected:
        projected["annotations"] = only(projected["annotations"], fields.annotations)
    return projected


def _substitute(block: Mapping[str, Any], types: frozenset[str], fields: WireFields) -> dict[str, Any]:
    kind = block["type"]
    if kind == "audio" and "resource" in types:
        contents = {"uri": _name_of(block["data"]), "mimeType": block["mimeType"], "blob": block["data"]}
        embedded = {"type": "resource", "resource": contents}
        if "annotations" in block:
            embedded["annotations"] = block["annotations"]
        return project_block(embedded, types, fields)
    if kind == "resource_link":
        return {"type": "text", "text": _describe_link(block)}
    return {"type": "text", "text": f"[{kind} content left out: this revision of the protocol cannot carry it]"}


def _name_of(data: str) -> str:
    """Name data by its hash: an embedded resource must have a URI, and this one promises no more than it is.

    Source: RFC 6920, "Naming Things with Hashes".
    """
    import hashlib
    from base64 import urlsafe_b64encode

    digest = hashlib.sha256(data.encode("ascii", "replace")).digest()
    return "ni:///sha-256;" + urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _describe_link(block: Mapping[str, Any]) -> str:
    text = f"{block.get('title') or block['name']}: {block['uri']}"
    if "mimeType" in block:
        text += f" ({block['mimeType']})"
    if "description" in block:
        text += f"\n{block['description']}"
    return text
