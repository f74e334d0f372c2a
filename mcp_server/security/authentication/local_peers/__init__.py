"""What the kernel says of processes on this machine."""
