"""Small runs worked out by hand, and what is refused with rank and node."""

from typing import Any

import pytest
from tests.agreement.astra_sim_graphs import Node, traces_of

from cosmic.errors import ConsistencyError, TraceError
from cosmic.io.astra_sim import groups_of, memory_of, network_of, system_of
from cosmic.simulation.astra_sim.engine import run_traces
from cosmic.simulation.astra_sim.inputs import Inputs, MemoryInput
from cosmic.simulation.astra_sim.network_input import Congestion
from cosmic.simulation.astra_sim.result import AstraSimResult

RING = ["ring"]
SYSTEM = {
    "scheduling-policy": "LIFO",
    "endpoint-delay": 10,
    "preferred-dataset-splits": 4,
    "all-reduce-implementation": RING,
    "all-gather-implementation": RING,
    "reduce-scatter-implementation": RING,
    "all-to-all-implementation": RING,
    "collective-optimization": "baseline",
    "local-mem-bw": 1600,
    "roofline-enabled": 1,
    "peak-perf": 100,
}
NETWORK = {
    "topology": ["Switch"],
    "npus_count": [2],
    "bandwidth": [100.0],
    "latency": [1000.0],
}
POOL = {"memory-type": "MEMORY_POOL", "remote-mem-latency": 100, "remote-mem-bw": 7}


def run(*nodes: list[Node], **given: Any) -> AstraSimResult:
    """Run ranks on a switch; `given` changes the system, or is groups or memory."""
    network: Any = NETWORK | {"npus_count": [len(nodes)]} | given.pop("network", {})
    aware = given.pop("aware", False)
    memory = given.pop("memory", None)
    groups = groups_of(given.pop("groups", {}), "groups")
    queues = given.pop("queues", 1)
    changes = {name.replace("_", "-"): value for name, value in given.items()}
    system: Any = {k: v for k, v in (SYSTEM | changes).items() if v is not None}
    inputs = Inputs(
        network=network_of(
            network, Congestion.AWARE if aware else Congestion.UNAWARE, "network"
        ),
        system=system_of(system, "system"),
        groups=groups,
        memory=memory_of(memory, "memory") if memory else MemoryInput(),
        queues=queues,
    )
    return run_traces(traces_of(nodes), inputs)


def comp(number: int, nanoseconds: int, **more: Any) -> Node:
    """Work that takes so long at 100 TFLOPS."""
    ops = nanoseconds * 10**5 + 1 if nanoseconds else 0  # not to fall just short
    return {"id": number, "type": "comp", "num_ops": ops, "tensor_size": 1} | more


def coll(number: int, kind: int = 0, size: int = 4096, **more: Any) -> Node:
    base = {"id": number, "type": "coll", "comm_type": kind, "comm_size": size}
    return base | more


def send(number: int, to: int, tag: int = 7, size: int = 65536, **more: Any) -> Node:
    base = {"id": number, "type": "send", "comm_dst": to, "comm_tag": tag}
    return base | {"comm_size": size} | more


def receive(number: int, source: int, tag: int = 7, **more: Any) -> Node:
    base = {"id": number, "type": "recv", "comm_src": source, "comm_tag": tag}
    return base | {"comm_size": 65536} | more


# 65,536 B over 107.3741824 B/ns and two hops of 1,000 ns: 2610.35, rounded down
FLIGHT = 2610


def test_idle_time_is_neither_computing_nor_communicating_but_exposed() -> None:
    result = run([comp(1, 500)], [comp(1, 300), send(2, 0, data_deps=[1])][:1])

    assert result.finish.tolist() == [500, 300]
    assert result.compute.tolist() == [500, 300]
    assert result.exposed.tolist() == [0, 0]


def test_overlap_is_when_both_are_under_way_and_no_wrapped_difference() -> None:
    # rank 0 computes 500 ns, idles until 3,110 and computes again; rank 1 sends late
    sender: list[Node] = [comp(1, 500), send(2, 0, data_deps=[1])]
    receiver: list[Node] = [
        comp(1, 600),
        receive(2, 1, data_deps=[1]),
        comp(3, 40, data_deps=[2]),
        comp(4, 10, data_deps=[1]),
    ]

    result = run(receiver, sender)

    assert result.finish.tolist() == [500 + FLIGHT + 40, 500 + FLIGHT]
    assert result.communication.tolist() == [FLIGHT - 100, FLIGHT]
    assert result.overlap.tolist() == [10, 0]
    assert result.exposed.tolist() == [FLIGHT + 540 - 650, FLIGHT]
    assert result.order.tolist() == [1, 0]


@pytest.mark.parametrize("name", ["", "0"])
def test_group_0_is_all_ranks(name: str) -> None:
    named, unnamed = [coll(1, pg_name=name)], [coll(1)]

    assert run(named, unnamed).finish.tolist() == run(unnamed, unnamed).finish.tolist()


def test_streams_of_groups_count_among_those_of_all_ranks() -> None:
    """So ranks that did not take part know the next collective by another number."""
    groups = {"1": [0, 1]}
    own = [coll(1, pg_name="1"), coll(2, data_deps=[1])]

    with pytest.raises(TraceError, match="rank 0, node 2: the collective never ends"):
        run(own, own, [coll(2)], groups=groups)


def test_a_tree_that_takes_no_part_may_have_any_size() -> None:
    network = {
        "topology": ["Ring", "Ring"],
        "npus_count": [2, 3],
        "bandwidth": [1, 1],
        "latency": [1, 1],
    }
    nodes = [coll(1, involved_dim=[1, 0])]

    result = run(
        *[nodes] * 6,
        network=network,
        all_reduce_implementation=["ring", "doubleBinaryTree"],
    )

    assert len(set(result.finish.tolist())) == 1


def test_a_memory_pool_serves_one_access_at_a_time() -> None:
    access: list[Node] = [{"id": 1, "type": "mem_load", "tensor_size": 700}]

    assert run(access, access, memory=POOL).finish.tolist() == [200, 400]  # 100 + 700/7


def test_memory_of_its_own_serves_each_rank_at_once() -> None:
    access: list[Node] = [{"id": 1, "type": "mem_store", "tensor_size": 700}]
    memory = POOL | {"memory-type": "PER_NPU_MEMORY_EXPANSION"}

    assert run(access, access, memory=memory).finish.tolist() == [200, 200]


def test_a_receive_of_another_size_is_no_receive() -> None:
    with pytest.raises(TraceError, match="rank 1, node 1: receives what no rank sends"):
        run([send(1, 1)], [receive(1, 0, comm_size=65537)])


def test_a_rank_may_send_to_itself_through_a_switch_that_is_shared() -> None:
    result = run([send(1, 0), receive(2, 0)], [comp(1, 5)], aware=True)

    # two links, each 1,000 + 610.35 ns, rounded down
    assert result.finish[0] == 3220


def test_replay_only_takes_durations_for_everything() -> None:
    nodes = [coll(1, duration_micros=5), comp(2, 1, duration_micros=9)]

    result = run(nodes, nodes, replay_only=1)

    assert result.finish.tolist() == [9000, 9000]
    assert result.exposed.tolist() == [-5000, -5000]  # ASTRA-sim wraps it


def test_a_collective_of_many_chunks_takes_memory_as_it_needs_it() -> None:
    size = 20_000 * 2

    result = run(
        [coll(1, size=size)],
        [coll(1, size=size)],
        preferred_dataset_splits=20_000,
        active_chunks_per_dimension=20_000,
    )

    # 2 bytes a chunk, 1 a message, all at once: 3 delays of 10 ns, 2 flights
    assert result.finish.tolist() == [3 * 10 + 2 * 2000] * 2


@pytest.mark.parametrize("topology", ["Ring", "FullyConnected", "Switch"])
def test_links_that_are_shared_are_never_faster(topology: str) -> None:
    nodes: list[Node] = [coll(1, size=10**6)]
    network = {"topology": [topology]}
    direct = {"all_reduce_implementation": ["direct"]}

    alone = run(*[nodes] * 5, network=network, **direct)
    shared = run(*[nodes] * 5, network=network, aware=True, **direct)

    assert (shared.finish >= alone.finish).all()


def test_a_run_of_many_times_keeps_them_all_in_order() -> None:
    """Some 3,000 ranks compute for different times: more than fit at first."""
    lengths = [(7919 * rank) % 9001 + 1 for rank in range(3000)]

    result = run(*[[comp(1, length)] for length in lengths])

    assert result.finish.tolist() == lengths
    assert result.finish[result.order].tolist() == sorted(lengths)


@pytest.mark.parametrize(
    ("nodes", "given", "message"),
    [
        ([{"id": 4, "type": "metadata"}], {}, "node 4: ASTRA-sim aborts on METADATA"),
        ([send(4, 0)], {}, "rank 0, node 4: sends to itself"),
        ([send(4, 2)], {}, "node 4: its other end is not a rank"),
        ([send(4, 1, size=0)], {}, "node 4: its message is empty"),
        ([send(4, 1, tag=2**31 + 5)], {}, "node 4: its tag is negative"),
        ([send(4, 1, is_cpu_op=True)], {}, "node 4: communicates as a CPU"),
        ([send(4, 1)], {}, "rank 0, node 4: sends what no rank receives"),
        ([receive(4, 1)], {}, "rank 0, node 4: receives what no rank sends"),
        ([coll(4)], {}, "rank 0, node 4: the collective never ends"),
        ([coll(4, kind=9)], {}, "node 4: ASTRA-sim has no such kind"),
        ([coll(4, pg_name="x")], {}, "node 4: its group is not a number"),
        ([coll(4, pg_name="8")], {}, "node 4: group 8 is not in the group file"),
        (
            [coll(4, pg_name="8")],
            {"groups": {"8": [1]}},
            "node 4: the rank is not in group 8",
        ),
        (
            [coll(4, pg_name="8")],
            {"groups": {"8": [0]}},
            "node 4: it has no other rank to talk to",
        ),
        ([coll(4)], {"scheduling_policy": None}, "scheduling-policy is not given"),
        ([coll(4)], {"all_reduce_implementation": None}, "no all-reduce-implementat"),
        (
            [coll(4)],
            {"all_reduce_implementation": ["doubleBinaryTree"], "more": 1},
            "node 4: doubleBinaryTree among 3 ranks, not a power of 2",
        ),
        (
            [coll(4)],
            {
                "all_reduce_implementation": ["doubleBinaryTree"],
                "network": {
                    "topology": ["Ring", "Ring"],
                    "npus_count": [2, 2],
                    "bandwidth": [1, 1],
                    "latency": [1, 1],
                },
                "more": 2,
            },
            "node 4: doubleBinaryTree as the last of fewer algorithms",
        ),
        (
            [coll(4, pg_name="8")],
            {
                "all_reduce_implementation": ["doubleBinaryTree"],
                "groups": {"8": [0, 1]},
                "more": 1,
            },
            "node 4: doubleBinaryTree among a part of the ranks is undefined",
        ),
        ([coll(4, involved_dim=[])], {}, "involved_dim names 0 dimensions of 1"),
        ([coll(4, involved_dim=[0])], {}, "it has no other rank to talk to"),
        ([coll(4, kind=2, size=3)], {}, "has empty chunks"),
        ([comp(4, 0)], {}, "node 4: the roofline gives it no time"),
        ([comp(4, 5)], {"peak_perf": 0}, "node 4: the roofline gives it no time"),
        ([comp(4, 1, num_ops=10)], {}, "node 4: something of it would end at time 0"),
        ([comp(4, 1, duration_micros=2**60)], {}, "node 4: its duration is out of"),
        (
            [{"id": 4, "type": "mem_load", "tensor_size": 7}],
            {},
            "node 4: accesses remote memory, but there is none",
        ),
        (
            [{"id": 4, "type": "mem_load", "tensor_size": 7}],
            {"memory": POOL | {"memory-type": "PER_NODE_MEMORY_EXPANSION"}},
            "node 4: PER_NODE_MEMORY_EXPANSION is undefined",
        ),
        (
            [{"id": 4, "type": "mem_load", "tensor_size": 7}],
            {"memory": POOL | {"remote-mem-bw": 0}},
            "node 4: remote-mem-bw is 0",
        ),
        ([{"id": 4, "type": "mem_load"}], {"memory": POOL}, "node 4: tensor_size is m"),
        ([{"id": 4, "type": "invalid"}], {}, "rank 0: it ends with a message"),
        (
            [{"id": 4, "type": "invalid"}, comp(5, 9, data_deps=[4])],
            {},
            "rank 0, node 5: ready, but never started",
        ),
    ],
)
def test_what_astra_sim_does_not_get_through_names_rank_and_node(
    nodes: list[Node], given: dict[str, Any], message: str
) -> None:
    others = [[comp(1, 5)]] * (1 + given.pop("more", 0))

    with pytest.raises(TraceError, match=message):
        run(nodes, *others, **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"local_mem_bw": None}, "rank [01], node 1: local-mem-bw is 0 or not given"),
        (
            {"all_reduce_implementation": ["halvingDoubling"]},
            "rank [01], node 1: one of its messages has no bytes",
        ),
        ({"endpoint_delay": 2**31 - 1}, None),
    ],
)
def test_a_collective_that_goes_wrong_on_its_way_names_its_node(
    given: dict[str, Any], message: str | None
) -> None:
    nodes: list[Node] = [coll(1, size=1)]

    if message is None:
        assert run(nodes, nodes, **given).finish[0] > 2**31
        return
    with pytest.raises(TraceError, match=message):
        run(nodes, nodes, **given)


def test_a_run_longer_than_astra_sims_clock_is_refused() -> None:
    years: list[Node] = [
        comp(n, 1, num_ops=2**62, data_deps=[n - 1] if n > 1 else [])
        for n in range(1, 400)
    ]

    with pytest.raises(TraceError, match=r"rank 0, node \d+: the run takes more than"):
        run(years, [comp(1, 5)])


def test_an_empty_trace_is_refused() -> None:
    with pytest.raises(TraceError, match="rank 1: the trace has no node"):
        run([comp(1, 5)], [])


def test_every_rank_has_a_trace() -> None:
    with pytest.raises(TraceError, match="has 4 ranks, but there are 2 traces"):
        run([comp(1, 5)], [comp(1, 5)], network={"npus_count": [4]})


def test_more_chunks_than_memory_may_hold_are_refused() -> None:
    nodes: list[Node] = [coll(1, size=10**9)]

    with pytest.raises(ConsistencyError, match="1000000 chunks on each of 32 ranks"):
        run(*[nodes] * 32, preferred_dataset_splits=1_000_000)
