"""The dated revisions of the protocol; a dated file says only what is peculiar to its date."""
