"""Stack 4: what one device can do."""
