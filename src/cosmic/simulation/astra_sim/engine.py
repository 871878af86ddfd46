"""Runs traces as ASTRA-sim's analytical back ends do."""

from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from cosmic.errors import TraceError
from cosmic.simulation.astra_sim import kernel
from cosmic.simulation.astra_sim.inputs import Inputs
from cosmic.simulation.astra_sim.kernel import Ints
from cosmic.simulation.astra_sim.memory import floats, longer
from cosmic.simulation.astra_sim.node_table import NodeTable
from cosmic.simulation.astra_sim.preparation import prepare
from cosmic.simulation.astra_sim.result import AstraSimResult
from cosmic.simulation.astra_sim.stuck import (
    node_at,
    refuse_unfinished,
    refuse_unreceived,
)
from cosmic.trace.rank_trace import RankTrace

_WRONG: dict[int, str] = {
    kernel.EMPTY_MESSAGE: "one of its messages has no bytes: ASTRA-sim aborts",
    kernel.AT_ZERO: "something of it would end at time 0: ASTRA-sim aborts",
    kernel.TOO_LATE: "the run takes more than 2**53 ns",
    kernel.NO_BANDWIDTH: "local-mem-bw is 0 or not given: undefined in ASTRA-sim",
}


def run_traces(traces: Sequence[RankTrace], inputs: Inputs) -> AstraSimResult:
    """Run a trace on every rank.

    Args:
        traces: One a rank, by rank.
        inputs: All that is given beside them.

    Raises:
        TraceError: A trace is missing or wrong, or ASTRA-sim would crash, hang, stop
            without a word, or read what it never wrote; names rank and node.
        ConsistencyError: The system does not fit the network.
    """
    ranks = inputs.network.ranks
    if [trace.rank for trace in traces] != list(range(ranks)):
        raise TraceError(
            f"the network has {ranks} ranks, but there are {len(traces)} traces"
        )
    nodes = NodeTable(traces, inputs)
    memory = _run(prepare(nodes), nodes)
    if memory[kernel.FINISHED] < ranks:
        refuse_unfinished(memory, nodes)
    if memory[kernel.OPEN]:
        refuse_unreceived(memory, nodes)
    return _result(memory, nodes)


def _run(memory: Ints, nodes: NodeTable) -> Ints:
    """Run to the end; the memory may have moved."""
    while True:
        status = kernel.run(memory, floats(memory))
        if status == kernel.ENDED:
            return memory
        if status == kernel.LONGER:
            memory = longer(memory)
        elif status != kernel.PAUSED:
            _refuse(status, memory, nodes)


def _refuse(status: int, memory: Ints, nodes: NodeTable) -> NoReturn:
    """Say what went wrong, and with which node."""
    where = int(memory[kernel.WHERE])
    if status == kernel.MIXED:
        number = memory[where + kernel.R_NUMBER]
        raise TraceError(
            f"rank {number}: it ends with a message, and has CPU, memory or INVALID "
            "nodes, on which ASTRA-sim's statistics then abort"
        )
    raise TraceError(f"{node_at(where, memory, nodes)}: {_WRONG[status]}")


def _result(memory: Ints, nodes: NodeTable) -> AstraSimResult:
    begin, count = int(memory[kernel.RANKS]), len(nodes.traces)
    dimensions = int(memory[kernel.DIMENSION_COUNT])
    width = kernel.R_TURNS + dimensions * kernel.TURNS
    ranks = memory[begin : begin + count * width].reshape(count, width)
    finish = ranks[:, kernel.R_FINISH].copy()
    return AstraSimResult(
        finish=finish,
        compute=nodes.compute_time(),
        communication=ranks[:, kernel.R_COMMUNICATION].copy(),
        overlap=ranks[:, kernel.R_OVERLAP].copy(),
        exposed=finish - nodes.run_time(),
        order=np.argsort(ranks[:, kernel.R_ORDER]),
    )
