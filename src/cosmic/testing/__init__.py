"""Kits for those who extend the library, and for its own tests."""
