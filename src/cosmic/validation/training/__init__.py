"""Published training runs and what the model says about them."""
