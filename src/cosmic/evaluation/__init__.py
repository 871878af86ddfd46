"""How good a design point is."""
