"""What the strategies use of Hypothesis, or one line that says how to get it."""

from cosmic.errors import CosmicError

try:
    from hypothesis import strategies
except ImportError as error:
    raise CosmicError(
        "cosmic.testing.strategies needs Hypothesis: pip install 'hypothesis>=6.100'"
    ) from error

__all__ = ["strategies"]
