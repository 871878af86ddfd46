"""The names that a scenario understands: everything that can be searched or held.

A parameter set chooses among these names; what it leaves out, the scenario holds. The
short names dp, tp, pp and sp are those of files and tables for the degrees of `data`,
`tensor`, `pipeline` and `sequence` parallelism.
"""

from collections.abc import Mapping
from itertools import permutations

from cosmic.design.parameter import PointValue, Stack
from cosmic.evaluation.pipeline_settings import PIPELINE
from cosmic.evaluation.setting_kind import Setting
from cosmic.evaluation.splitting_settings import SPLITTING

MAX_DIMENSIONS = 16
"""Dimensions that a network may have."""

FOLLOWING = frozenset(
    {
        *("device_price", "dimensions", "tp", "weight_sharded"),
        *("peak_fp8", "peak_tf32", "peak_fp32"),
    }
)
"""Settings that nobody need say: they follow from others, repeat them, or may be left
unknown."""

AXIS_ORDERS = tuple(
    map("-".join, permutations(("tensor", "sequence", "data", "pipeline")))
)
"""Every order of the axes of parallelism, innermost first."""

_ALGORITHMS = "algorithm of each dimension for "

_WORKLOAD = (
    Setting(
        name="dp",
        stack=Stack.WORKLOAD,
        about="devices that share the batch",
        default=1,
    ),
    Setting(
        name="tp",
        stack=Stack.WORKLOAD,
        about="devices that share heads and matrices; by default what dp, pp and sp "
        "leave of the devices",
    ),
    Setting(
        name="pp",
        stack=Stack.WORKLOAD,
        about="devices that share the layers",
        default=1,
    ),
    Setting(
        name="sp",
        stack=Stack.WORKLOAD,
        about="devices that share the tokens of a sequence",
        default=1,
    ),
    Setting(
        name="weight_sharding",
        stack=Stack.WORKLOAD,
        about="what dp and sp devices share out: 0 nothing, 1 optimizer state, 2 also "
        "gradients, 3 also weights",
        allowed=(0, 1, 2, 3),
        default=0,
    ),
    Setting(
        name="weight_sharded",
        stack=Stack.WORKLOAD,
        about="the paper's switch: 0 is weight_sharding 0 and 1 is weight_sharding 3",
        allowed=(0, 1),
    ),
    Setting(
        name="micro_batch",
        stack=Stack.WORKLOAD,
        about="sequences that a replica takes through the model at a time",
        default=1,
    ),
    Setting(
        name="recompute",
        stack=Stack.WORKLOAD,
        about="what the backward pass computes again instead of keeping it",
        allowed=("none", "selective", "full"),
        default="none",
    ),
    Setting(
        name="fused_attention",
        stack=Stack.WORKLOAD,
        about="whether attention keeps its scores on chip",
        allowed=(True, False),
        default=True,
    ),
    Setting(
        name="sequence_method",
        stack=Stack.WORKLOAD,
        about="how attention sees a sequence that is split over sp devices",
        allowed=("all_gather", "ulysses", "ring"),
        default="all_gather",
    ),
    Setting(
        name="tensor_sequence",
        stack=Stack.WORKLOAD,
        about="whether tp devices also share the tokens between their matrices",
        allowed=(True, False),
        default=False,
    ),
    Setting(
        name="schedule",
        stack=Stack.WORKLOAD,
        about="order of micro-batches in the pipeline",
        allowed=("1f1b", "gpipe", "zb-h1"),
        default="1f1b",
    ),
    Setting(
        name="axis_order",
        stack=Stack.WORKLOAD,
        about="in which order device ids count through the axes of parallelism, "
        "innermost first",
        allowed=AXIS_ORDERS,
        default=AXIS_ORDERS[0],
        late=True,
    ),
    Setting(
        name="placement",
        stack=Stack.WORKLOAD,
        about="in which order device ids count through the dimensions of the network; "
        "fastest_first goes by what one device can send into them",
        allowed=("inner_first", "outer_first", "fastest_first"),
        default="inner_first",
        late=True,
    ),
    Setting(
        name="micro_batches",
        stack=Stack.WORKLOAD,
        about="in inference, parts of a replica's batch that follow one another in the "
        "pipeline; 0 for as many as stages, or the most below that divide it",
        at_least=0,
        default=0,
        late=True,
    ),
    Setting(
        name="weight_bits",
        stack=Stack.WORKLOAD,
        about="in inference, bits in which a weight is stored and read",
        allowed=(4, 8, 16),
        default=16,
        late=True,
    ),
    Setting(
        name="cache_bits",
        stack=Stack.WORKLOAD,
        about="in inference, bits in which an element of cached keys and values is "
        "stored and read",
        allowed=(4, 8, 16),
        default=16,
        late=True,
    ),
)

_COLLECTIVE = (
    Setting(
        name="scheduling_policy",
        stack=Stack.COLLECTIVE,
        about="which of several waiting collectives goes first",
        allowed=("LIFO", "FIFO"),
        default="LIFO",
    ),
    Setting(
        name="chunks",
        stack=Stack.COLLECTIVE,
        about="equal parts of a collective, which overlap between dimensions",
        default=1,
    ),
    Setting(
        name="multi_dim_optimization",
        stack=Stack.COLLECTIVE,
        about="how an all-reduce goes over several dimensions",
        allowed=("baseline", "localBWAware", "themis"),
        default="baseline",
    ),
    Setting(
        name="active_chunks",
        stack=Stack.COLLECTIVE,
        about="chunks that a dimension serves at once: while the links carry one, "
        "others wait for what comes after, such as latency",
        default=1,
        late=True,
    ),
    Setting(
        name="flat_rings",
        stack=Stack.COLLECTIVE,
        about="whether a group that does not factor over the dimensions is one flat "
        "ring, instead of being refused",
        allowed=(True, False),
        default=False,
        late=True,
    ),
    Setting(
        name="endpoint_delay",
        stack=Stack.COLLECTIVE,
        about="time that a device needs to take up a message",
        unit="s",
        default=0.0,
    ),
    *(
        Setting(
            name=f"{kind}_algorithm",
            stack=Stack.COLLECTIVE,
            about=_ALGORITHMS + kind.replace("_", "-"),
            per_dimension=True,
        )
        for kind in ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")
    ),
)

_NETWORK = (
    Setting(
        name="dimensions",
        stack=Stack.NETWORK,
        about="dimensions of the network; by default as many as npus_count has values",
        at_most=MAX_DIMENSIONS,
        late=True,
    ),
    Setting(
        name="topology",
        stack=Stack.NETWORK,
        about="how the devices of each dimension are joined",
        per_dimension=True,
        allowed=("Ring", "FullyConnected", "Switch", "Mesh", "Hypercube"),
    ),
    Setting(
        name="npus_count",
        stack=Stack.NETWORK,
        about="devices of each dimension",
        per_dimension=True,
    ),
    Setting(
        name="bandwidth",
        stack=Stack.NETWORK,
        about="what one device can send into each dimension over all its links",
        per_dimension=True,
        unit="B/s",
    ),
    Setting(
        name="latency",
        stack=Stack.NETWORK,
        about="time for a first byte to cross one link of each dimension",
        per_dimension=True,
        unit="s",
    ),
    Setting(
        name="oversubscription",
        stack=Stack.NETWORK,
        about="what all ports of a Switch could send, over what its core carries; 1 "
        "for other shapes",
        per_dimension=True,
        real=True,
        at_most=1e3,
        default=1.0,
        late=True,
    ),
    Setting(
        name="asymmetry",
        stack=Stack.NETWORK,
        about="bandwidth of links towards lower positions (of a Switch: down to the "
        "devices) over that of the others, in each dimension",
        per_dimension=True,
        real=True,
        at_least=1e-3,
        at_most=1e3,
        default=1.0,
        late=True,
    ),
)

_COMPUTE = (
    Setting(
        name="peak_flops",
        stack=Stack.COMPUTE,
        about="floating-point operations a second of one device, in bf16 or fp16",
        unit="FLOP/s",
    ),
    *(
        Setting(
            name=f"peak_{precision}",
            stack=Stack.COMPUTE,
            about=f"the same in {precision}; unknown if nobody says",
            unit="FLOP/s",
            late=True,
        )
        for precision in ("fp8", "tf32", "fp32")
    ),
    Setting(
        name="memory_bandwidth",
        stack=Stack.COMPUTE,
        about="bytes a second to and from one device's memory",
        unit="B/s",
    ),
    Setting(
        name="memory_capacity",
        stack=Stack.COMPUTE,
        about="bytes that one device can hold",
        unit="B",
    ),
    Setting(
        name="device_price",
        stack=Stack.COMPUTE,
        about="what one device costs while it is used, with its share of host and "
        "network",
        unit="USD/s",
        late=True,
    ),
)

SETTINGS: Mapping[str, Setting] = {
    setting.name: setting
    for setting in (
        *_WORKLOAD,
        *PIPELINE,
        *SPLITTING,
        *_COLLECTIVE,
        *_NETWORK,
        *_COMPUTE,
    )
}

DEFAULTS: Mapping[str, PointValue] = {
    name: setting.default
    for name, setting in SETTINGS.items()
    if setting.default is not None
}
