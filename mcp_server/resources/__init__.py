"""Floor 2, tier 4: files, processes and gateways; what the operating system and backends hold."""
