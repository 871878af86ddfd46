"""Which design point to try next."""
