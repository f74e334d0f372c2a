"""Access tokens: what is demanded of them, what was revoked, and a small issuer."""
