"""One way each of recognising a peer; each turns one kind of credentials into evidence."""
