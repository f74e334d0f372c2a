"""Client certificates, once TLS has verified them."""
