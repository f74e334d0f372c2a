"""Who calls: evidence, and the principal it amounts to."""
