"""Reading archives that somebody else has made."""
