"""What is done with trial logs, as people call it."""

from pathlib import Path

import duckdb
import pytest

from tests.cli.conftest import Cosmic
