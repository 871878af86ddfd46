"""Ctrl-C is noticed, whatever becomes of it."""

import signal
import sys

import pytest

from cosmic.cli.interrupts import Interrupts


def test_ctrl_c_interrupts_and_is_remembered() -> None:
    with Interrupts() as interrupts:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

        assert interrupts.noticed


def test_all_is_left_as_it_was() -> None:
    before = signal.getsignal(signal.SIGINT), sys.unraisablehook
    with Interrupts() as interrupts:
        assert not interrupts.noticed
        assert signal.getsignal(signal.SIGINT) != before[0]

    assert (signal.getsignal(signal.SIGINT), sys.unraisablehook) == before
