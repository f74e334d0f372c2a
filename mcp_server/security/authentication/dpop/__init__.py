"""Proofs that a token is its holder's (RFC 9449)."""
