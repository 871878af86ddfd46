"""Where compiled code is kept, and a word to people while it is made.

The inner loops are compiled when they are first called, which takes about a minute,
and then kept in a folder. numba takes that of the sources, or else one in the
user's home; where neither can be written, a folder for this run stands in.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import Timer

_VARIABLE = "NUMBA_CACHE_DIR"
_PATIENCE = 1.0  # seconds; code that was kept is loaded well within


@contextmanager
def room_for_compiled_code(sources: Path) -> Iterator[None]:
    """See that compiled code can be kept; to be entered before numba is imported.

    Args:
        sources: The folder of what is compiled.
    """
    places = (sources, os.path.expanduser("~"))
    if _VARIABLE in os.environ or any(os.access(place, os.W_OK) for place in places):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="cosmic-") as folder:
        os.environ[_VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[_VARIABLE]


@contextmanager
def patience(
    tell: Callable[[str], None], compiled: str = "cosmic.simulation.kernels"
) -> Iterator[None]:
    """Tell people when the simulator is being compiled while they wait.

    Args:
        tell: Prints a line.
        compiled: The module that holds the compiled code.
    """
    kernels = vars(import_module(compiled))  # loads numba

    def look() -> None:
        counts = [getattr(kernel, "stats", None) for kernel in kernels.values()]
        if any(count.cache_misses for count in counts if count is not None):
            tell("compiling the simulator, once (about a minute) ...")

    timer = Timer(_PATIENCE, look)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
