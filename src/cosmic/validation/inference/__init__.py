"""Published inference: prompts and tokens that were timed, beside predictions."""
