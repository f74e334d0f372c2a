"""Floor 3: the five-step chain (authenticate, permit, sandbox, execute, audit) and its wings."""
