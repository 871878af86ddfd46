"""Stack 1: what is computed, and how it is split."""
