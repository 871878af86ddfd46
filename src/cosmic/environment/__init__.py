"""The Gymnasium face of a design space and its evaluator."""
