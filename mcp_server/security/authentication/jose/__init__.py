"""Signed texts, strictly: base64url, JSON objects, keys, compact JWS; no claims and no policy."""
