"""What Linux offers, by ctypes: one class each, no policy in them."""
