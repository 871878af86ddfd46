"""What the environments use of Gymnasium, or one line that says how to get it."""

from cosmic.errors import CosmicError

try:
    from gymnasium import Env, spaces
    from gymnasium.error import ResetNeeded
    from gymnasium.vector import AutoresetMode, VectorEnv
    from gymnasium.vector.utils import batch_space
except ImportError as error:
    raise CosmicError(
        "environments need Gymnasium: pip install 'gymnasium>=1.1', or install cosmic "
        "with its extra, cosmic[gym]"
    ) from error

__all__ = ["AutoresetMode", "Env", "ResetNeeded", "VectorEnv", "batch_space", "spaces"]
