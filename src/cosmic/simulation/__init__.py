"""How long a graph takes on a system."""
