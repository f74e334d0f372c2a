"""Evidence: records, the hash chain, recovery and verification."""
