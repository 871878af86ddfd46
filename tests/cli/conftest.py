"""What the tests of the command line share: a folder of small specs, and a caller."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cosmic.cli.main import run

MODEL = """\
kind: model
layers: 4
hidden: 256
heads: 4
feed_forward: 1024
sequence: 128
vocabulary: 1000
"""

SYSTEM = """\
kind: system
device:
  peak_flops: 10 TFLOP/s
  memory_bandwidth: 500 GB/s
  memory_capacity: 1 GB
dimensions:
  - {topology: Ring, npus_count: 4, bandwidth: 100 GB/s, latency: 100 ns}
  - {topology: Switch, npus_count: 2, bandwidth: 50 GB/s, latency: 1 us}
collective:
  algorithms: [ring, halvingDoubling]
  chunks: 2
"""

PARAMETERS = """\
kind: parameter_set
parameters:
  dp: {stack: workload, values: [1, 2, 4, 8]}
  pp: {stack: workload, values: [1, 2]}
  sp: {stack: workload, values: [1, 2]}
  weight_sharded: {stack: workload, values: [0, 1]}
  chunks: {stack: collective, values: [1, 2, 4]}
  scheduling_policy: {stack: collective, values: [LIFO, FIFO]}
  topology: {stack: network, per_dimension: true, values: [Ring, Switch]}
  bandwidth:
    stack: network
    per_dimension: true
    range: {from: 50 GB/s, to: 200 GB/s, step: 50 GB/s}
derived:
  tp: npus / (dp * pp * sp)
constraints:
  - heads % tp == 0
scopes:
  workload_only: [workload]
  network_only: [network]
  full_stack: [workload, collective, network]
"""

SCENARIO = """\
kind: scenario
model: model.yaml
system: system.yaml
batch: 16
workload: {dp: 2, pp: 1, sp: 1, weight_sharded: 0}
parameter_set: parameters.yaml
objective: perf_per_bandwidth
"""

STUDY = """\
kind: study
scenario: tiny.yaml
scope: full_stack
agent: {name: genetic, options: {population: 8, offspring: 8}}
trials: 24
seed: 1
batch: 8
"""

FILES = {
    "model.yaml": MODEL,
    "system.yaml": SYSTEM,
    "parameters.yaml": PARAMETERS,
    "tiny.yaml": SCENARIO,
    "study.yaml": STUDY,
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder: a small model on eight devices, and a study of it."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did: its exit code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


Cosmic = Callable[..., Outcome]


@pytest.fixture
def cosmic(folder: Path, capsys: pytest.CaptureFixture[str]) -> Cosmic:
    """Calls the command line in the folder of small specs."""

    def call(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = run(arguments)
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call
