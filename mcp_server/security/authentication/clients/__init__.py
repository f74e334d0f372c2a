"""Which evidence amounts to which client of the policy."""
