"""What is remembered between messages of a legacy connection."""
