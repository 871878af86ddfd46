"""What all tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

from cosmic.evaluation.scenario import Scenario
from cosmic.io.specs import load_scenario

# A shared machine is slow at times, and that is no defect of the code.
settings.register_profile("cosmic", deadline=None, print_blob=True)
settings.load_profile("cosmic")

TINY = {
    "model.yaml": """
kind: model
layers: 4
hidden: 256
heads: 8
feed_forward: 1024
sequence: 128
vocabulary: 1000
""",
    "system.yaml": """
kind: system
device:
  peak_flops: 1 TFLOP/s
  memory_bandwidth: 100 GB/s
  memory_capacity: 1 GB
dimensions:
  - {topology: Ring, npus_count: 4, bandwidth: 100 GB/s, latency: 100 ns}
  - {topology: Switch, npus_count: 4, bandwidth: 50 GB/s, latency: 500 ns}
collective:
  algorithms: [ring, halvingDoubling]
  scheduling_policy: LIFO
  chunks: 2
  multi_dim_optimization: localBWAware
  endpoint_delay: 10 ns
""",
    "scenario.yaml": """
kind: scenario
model: model.yaml
system: system.yaml
batch: 32
workload: {dp: 4, pp: 2, sp: 1, weight_sharded: 1}
parameter_set: parameter_set.yaml
objective: runtime
""",
    "parameter_set.yaml": """
kind: parameter_set
parameters:
  dp: {stack: workload, powers_of_two: {from: 1, to: npus}}
  pp: {stack: workload, values: [1, 2, 4]}
  sp: {stack: workload, values: [1, 2]}
  weight_sharded: {stack: workload, values: [0, 1]}
  chunks: {stack: collective, values: [1, 2, 4]}
  scheduling_policy: {stack: collective, values: [LIFO, FIFO]}
  topology: {stack: network, per_dimension: true, values: [Ring, Switch]}
  bandwidth: {stack: network, per_dimension: true, values: [50 GB/s, 100 GB/s]}
derived:
  tp: npus / (dp * pp * sp)
constraints:
  - heads % tp == 0
scopes:
  workload_only: [workload]
  collective_only: [collective]
  network_only: [network]
  full_stack: [workload, collective, network]
""",
}
"""A whole scenario in four small files, whose simulation takes a moment."""

VARYING = {
    "model.yaml": TINY["model.yaml"],
    "system.yaml": """
kind: system
device:
  peak_flops: 1 TFLOP/s
  memory_bandwidth: 100 GB/s
  memory_capacity: 1 GB
dimensions:
  - {topology: Torus, npus_count: [2, 2], link_bandwidth: 25 GB/s, latency: 100 ns}
  - {topology: Switch, npus_count: 2, bandwidth: 50 GB/s, latency: 1 us}
collective:
  algorithms: [ring, direct]
  chunks: 2
""",
    "scenario.yaml": """
kind: scenario
model: model.yaml
system: system.yaml
batch: 32
workload: {dp: 4, pp: 2, sp: 1, weight_sharded: 1}
parameter_set: parameter_set.yaml
objective: runtime
""",
    "parameter_set.yaml": """
kind: parameter_set
parameters:
  dp: {stack: workload, values: [2, 4]}
  dimensions: {stack: network, values: [1, 2, 3]}
  npus_count: {stack: network, per_dimension: true, values: [2, 4, 8]}
  topology: {stack: network, per_dimension: true, values: [Ring, Switch]}
  bandwidth: {stack: network, per_dimension: true, values: [50 GB/s, 100 GB/s]}
  all_reduce_algorithm:
    stack: collective
    per_dimension: true
    values: [ring, direct]
    follows: '"ring" if topology[d] == "Ring" else "direct"'
derived:
  tp: npus / (dp * pp * sp)
constraints:
  - product(npus_count) == npus
  - sum(latency) < 1e-6 or count(topology == "Switch") <= 1
scopes:
  workload_only: [workload]
  collective_only: [collective]
  network_only: [network]
  full_stack: [workload, collective, network]
""",
}
"""The same on eight devices, where the number of network dimensions is searched."""


@pytest.fixture
def varying_folder(tmp_path: Path) -> Path:
    """A folder with the files of a scenario that searches the number of dimensions."""
    for name, text in VARYING.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def tiny_folder(tmp_path: Path) -> Path:
    """A folder with the files of a tiny scenario, for a test to change and read."""
    for name, text in TINY.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def scenario(tiny_folder: Path) -> Scenario:
    """A tiny scenario: 4 layers on 16 devices."""
    return load_scenario(tiny_folder / "scenario.yaml")
