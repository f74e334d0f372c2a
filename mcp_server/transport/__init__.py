"""Floor 6, tier 1: bytes in and bytes out."""
