"""What the agents use of Optuna, or one line that says how to get it."""

from cosmic.errors import CosmicError

try:
    import optuna
except ImportError as error:
    raise CosmicError(
        "this agent needs Optuna: pip install 'optuna>=4.3', or install cosmic with "
        "its extra, cosmic[agents]"
    ) from error

__all__ = ["optuna"]
