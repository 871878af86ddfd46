"""The paper's own design space, counted as it counts and as it should be."""

import pytest

from cosmic.design.constraint import Expression
from cosmic.design.derived import Derived
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, PointValue, Stack, Value
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import ConsistencyError

ALGORITHMS = ("ring", "direct", "halvingDoubling", "doubleBinaryTree")
FOLLOWED = '{"Ring": "ring", "FullyConnected": "direct", "Switch": "halvingDoubling"}'
KINDS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")


def powers(count: int) -> tuple[Value, ...]:
    return tuple(2**k for k in range(count))


def one(name: str, stack: Stack, choices: tuple[Value, ...]) -> Parameter:
    return Parameter(name=name, stack=stack, choices=choices)


def each(name: str, choices: tuple[Value, ...]) -> Parameter:
    return Parameter(name=name, stack=Stack.NETWORK, choices=choices, dimensions=4)


def algorithm(kind: str) -> Parameter:
    return Parameter(
        name=f"{kind}_algorithm",
        stack=Stack.COLLECTIVE,
        choices=ALGORITHMS,
        dimensions=4,
        follows=f"{FOLLOWED}[topology[d]]",
    )


NETWORK = (
    each("topology", ("Ring", "Switch", "FullyConnected")),
    each("npus_count", (4, 8, 16)),
    each("bandwidth", tuple(range(50, 501, 50))),
)
POLICY = (
    one("scheduling_policy", Stack.COLLECTIVE, ("LIFO", "FIFO")),
    one("chunks", Stack.COLLECTIVE, (2, 4, 8, 16)),
    one("multi_dim_optimization", Stack.COLLECTIVE, ("baseline", "localBWAware")),
)
TENSOR = Derived(name="tp", formula="npus / (dp * pp * sp)")


@pytest.fixture(scope="module")
def full_stack() -> DesignSpace:
    degrees = [one(name, Stack.WORKLOAD, powers(10)) for name in ("dp", "sp")]
    rules = [
        "dp * pp * sp * tp == npus",
        "heads % tp == 0",
        "batch % dp == 0",
        "sequence % sp == 0",
        "product(npus_count) == npus",
    ]
    parameter_set = ParameterSet(
        name="full-stack",
        parameters=(
            degrees[0],
            one("pp", Stack.WORKLOAD, (1, 2, 4)),
            degrees[1],
            one("weight_sharded", Stack.WORKLOAD, (0, 1)),
            *POLICY,
            *map(algorithm, KINDS),
            *NETWORK,
        ),
        constraints=tuple(map(Expression, rules)),
        constants={"npus": 1024, "heads": 96, "batch": 2048, "sequence": 2048},
        derived=(TENSOR,),
    )
    algorithms = ("ring", "direct", "ring", "halvingDoubling")
    baseline: dict[str, PointValue] = {
        "dp": 64,
        "pp": 1,
        "sp": 1,
        "weight_sharded": 1,
        "scheduling_policy": "LIFO",
        "chunks": 4,
        **{f"{kind}_algorithm": algorithms for kind in KINDS},
        "multi_dim_optimization": "localBWAware",
        "topology": ("Ring", "FullyConnected", "Ring", "Switch"),
        "npus_count": (4, 8, 4, 8),
        "bandwidth": (375, 175, 150, 100),
    }
    return DesignSpace(parameter_set, baseline)


def test_the_papers_own_count_comes_out_exactly() -> None:
    """The abstract's 7.69e13 configurations.

    Ordered factorizations of 1024 = 2^10 into four powers of two: ways to spread 10
    twos over 4 factors, C(13, 3) = 286. Then 286 x 2 policies x 4^4 all-reduce
    algorithms x 4 chunk counts x 2 optimizations x 3^4 topologies x 3^4 sizes
    x 10^4 bandwidths = 286 x 2 x 256 x 4 x 2 x 81 x 81 x 10000
    = 76 859 228 160 000.
    """
    parameter_set = ParameterSet(
        name="as the paper counts",
        parameters=(
            *(one(n, Stack.WORKLOAD, powers(11)) for n in ("dp", "sp", "pp")),
            *POLICY,
            algorithm("all_reduce"),
            *NETWORK,
        ),
        constraints=(Expression("dp * sp * pp <= npus"),),
        constants={"npus": 1024},
        derived=(TENSOR,),
    )

    assert DesignSpace(parameter_set).count == 76_859_228_160_000


def test_the_full_stack_has_its_raw_and_feasible_count(full_stack: DesignSpace) -> None:
    """Workload 10 x 3 x 10 x 2 raw.

    Feasible: tp = 2^t must divide 96 = 3 x 2^5, so t <= 5 and the exponents of
    dp (0..9), pp (0..2) and sp (0..9) sum to 10 - t, from 5 to 10. Pairs (dp, sp)
    that sum to s: s + 1 up to 9 and 9 for 10. Over s = 5..10 for pp = 1:
    6+7+8+9+10+9 = 49; s = 4..9 for pp = 2: 5+6+7+8+9+10 = 45; s = 3..8 for pp = 4:
    4+5+6+7+8+9 = 39. Together 133, x 2 for the weights = 266.
    Collective: 2 x 4 x 2 x 4^16. Network: 3^4 x 10 (of 81) x 10^4.
    """
    collective = 16 * 4**16

    assert full_stack.raw_count == 600 * collective * 81 * 81 * 10**4
    assert full_stack.count == 266 * collective * 81 * 10 * 10**4


@pytest.mark.parametrize(
    ("stack", "count"),
    [
        (Stack.WORKLOAD, 266),
        (Stack.COLLECTIVE, 16 * 4**16),
        (Stack.NETWORK, 81 * 10 * 10**4),
    ],
)
def test_a_single_stack_has_its_own_part_of_the_count(
    full_stack: DesignSpace, stack: Stack, count: int
) -> None:
    assert full_stack.on(stack).count == count


def test_algorithms_follow_the_topology_when_only_the_network_is_searched(
    full_stack: DesignSpace,
) -> None:
    space = full_stack.on(Stack.NETWORK).fix(
        topology=("Switch", "Ring", "Ring", "FullyConnected")
    )
    point = space.point(space.vector_at(0))

    assert point["all_to_all_algorithm"] == (
        "halvingDoubling",
        "ring",
        "ring",
        "direct",
    )
    assert point["dp"] == 64


def test_tensor_parallelism_is_derived(full_stack: DesignSpace) -> None:
    point = full_stack.on(Stack.WORKLOAD).fix(dp=64, pp=4, sp=2).vector_at(0)
    chosen = full_stack.on(Stack.WORKLOAD).fix(dp=64, pp=4, sp=2).point(point)

    assert full_stack.parameter_set.values(chosen)["tp"] == 2


def test_an_impossible_choice_names_the_rule_that_forbids_it(
    full_stack: DesignSpace,
) -> None:
    with pytest.raises(ConsistencyError) as caught:
        full_stack.fix(dp=512, pp=4)

    assert str(caught.value) == (
        "no design point satisfies 'tp = npus / (dp * pp * sp) must be an integer', "
        "with npus = 1024; dp = 512; pp = 4; sp in (1, 2, 4, ..., 512)"
    )
