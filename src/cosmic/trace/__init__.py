"""The execution trace: the one language that the four stacks share."""
