"""Floor 7: the four tiers put together."""
