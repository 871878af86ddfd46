"""The Parameter Set Architecture: what may be chosen, and what must hold of it."""
