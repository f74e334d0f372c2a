"""Floor 8: commands; the only place that prints or configures logging."""
