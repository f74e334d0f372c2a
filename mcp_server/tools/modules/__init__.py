"""The modules that ship with the library."""
