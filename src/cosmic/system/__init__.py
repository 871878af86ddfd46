"""Stacks 2 to 4 bound into one machine."""
