"""Full-stack co-design of distributed machine learning systems."""

__version__ = "0.1.0"
