"""Floor 6: the other end of the protocol, for tests and commands."""
