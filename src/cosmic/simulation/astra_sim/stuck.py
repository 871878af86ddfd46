"""Why a run did not come to a good end, in one line."""

from typing import NoReturn

from cosmic.errors import TraceError
from cosmic.simulation.astra_sim import kernel
from cosmic.simulation.astra_sim.kernel import Ints
from cosmic.simulation.astra_sim.node_table import NodeTable
from cosmic.trace.rank_trace import NodeKind

_ENDED, _ISSUED, _READY = -2, -1, 0  # what stands in N_WAITING


def refuse_unfinished(memory: Ints, nodes: NodeTable) -> NoReturn:
    """Raise for the node that most likely is at fault.

    What was issued and never ended comes first, messages before collectives; else it
    is a node that became ready when nothing came after it that would start it.

    Raises:
        TraceError: Always.
    """
    count = int(memory[kernel.NODE_COUNT])
    begin = int(memory[kernel.NODES])
    rows = memory[begin : begin + count * kernel.NODE].reshape(count, kernel.NODE)
    left = rows[:, kernel.N_WAITING]
    ranks = len(nodes.traces)
    stopped = int((nodes.by_rank(left != _ENDED) > 0).sum())
    more = f"; {stopped} of {ranks} ranks never finish" if stopped > 1 else ""
    for kind, why in _ENDLESS.items():
        nodes.refuse((left == _ISSUED) & nodes.of(kind), why + more)
    row = int((left == _READY).argmax())  # nothing else can be left
    raise TraceError(f"{nodes.name(row)}: {_NEVER_STARTED}{more}")


_ENDLESS = {
    NodeKind.RECEIVE: "receives what no rank sends",
    NodeKind.SEND: "sends what no rank receives",
    NodeKind.COLLECTIVE: (
        "the collective never ends: the ranks of its group do not all begin the same "
        "collectives, of the same size and in the same order"
    ),
}
_NEVER_STARTED = (
    "ready, but never started: ASTRA-sim starts nodes when one ends that took time, "
    "and this one waited for a node that took none (INVALID, or of tensor_size 0)"
)


def refuse_unreceived(memory: Ints, nodes: NodeTable) -> NoReturn:
    """Raise for a message that was delivered, and that nobody ever waited for.

    ASTRA-sim drops it without a word; the trace lacks a receive, or has one of another
    size or tag.

    Raises:
        TraceError: Always.
    """
    begin, count = int(memory[kernel.CHAINS]), int(memory[kernel.CHAIN_COUNT])
    chains = memory[begin : begin + count]
    item = memory[chains[chains > 0][0] + kernel.Q_HEAD]
    message = int(memory[item + kernel.I_WHAT])
    place = node_at(int(memory[message + kernel.M_NODE]), memory, nodes)
    raise TraceError(f"{place}: sends what no rank receives")


def node_at(address: int, memory: Ints, nodes: NodeTable) -> str:
    """Rank and id of the node that stands at an address."""
    return nodes.name((address - int(memory[kernel.NODES])) // kernel.NODE)
