"""The built-in agents, one to a file."""
