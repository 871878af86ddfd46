"""Notices Ctrl-C, also where a compiler at work swallows it and fails later."""

import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """A context in which it is known whether Ctrl-C was pressed.

    It raises KeyboardInterrupt as ever. But one that is raised within the compiler's
    own callbacks is dropped there, and what comes of it is another exception.
    """

    def __init__(self) -> None:
        self.noticed = False
        self._handler: Any = None
        self._hook = sys.unraisablehook

    def __enter__(self) -> "Interrupts":
        """Take note from now on; only the main thread can."""
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(signal.SIGINT, self._interrupt)
            sys.unraisablehook = self._dropped
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave all as it was."""
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
            sys.unraisablehook = self._hook

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.noticed = True
        raise KeyboardInterrupt

    def _dropped(self, unraisable: "sys.UnraisableHookArgs") -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            self._hook(unraisable)
