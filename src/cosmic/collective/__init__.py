"""Stack 2: how devices exchange data."""
