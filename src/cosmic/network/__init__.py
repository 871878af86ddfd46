"""Stack 3: how devices are joined."""
