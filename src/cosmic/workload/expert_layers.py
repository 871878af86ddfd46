"""What the feed-forward part of a layer with experts does forward and backward.

A router picks experts for each token; rows for them travel to the devices that hold
them by an all-to-all of the group `expert`, and back by another one. Where tensor-
parallel devices share tokens, each sends its own, and the rows for an expert are
gathered where it is split; otherwise all of them send the same, and add up what came
back. Without expert parallelism nothing travels, and an expert layer enters and leaves
its split matrices as a dense one does. Shared experts enter and leave by themselves.

Reference:
    D. Lepikhin et al., "GShard", 2020, section 2.2; Megatron-LM's dispatcher by
    all-to-all, for tensor-parallel experts.
"""

from cosmic.trace.node import CollectiveKind, Instruction
from cosmic.workload.exchanges import Splitting, blocking
from cosmic.workload.expert_operators import ExpertOperators
from cosmic.workload.operators import Operator, Operators


def expert_forward(parts: Splitting) -> tuple[Instruction, ...]:
    """From the norm before the experts to the residual stream behind them."""
    operators, experts = Operators(parts.workload), _experts(parts)
    return (
        operators.normalization().forward,
        *_shared_forward(parts, experts.shared()),
        *_into(parts, experts, "experts"),
        *(operator.forward for operator in experts.routing()),
        experts.dispatch().forward,
        *_to_experts(parts, experts, "dispatch"),
        experts.expert_in().forward,
        experts.expert_activation().forward,
        experts.expert_out().forward,
        *_from_experts(parts, experts, "combine"),
        experts.combine().forward,
        *_out_of(parts, experts, "experts"),
        operators.residual().forward,
    )


def expert_backward(parts: Splitting) -> tuple[Instruction, ...]:
    """The same the other way round; what was scattered is gathered."""
    operators, experts = Operators(parts.workload), _experts(parts)
    return (
        operators.residual().backward,
        *_into(parts, experts, "experts backward"),
        experts.combine().backward,
        *_to_experts(parts, experts, "combine backward"),
        experts.expert_out().backward,
        experts.expert_activation().backward,
        experts.expert_in().backward,
        *_from_experts(parts, experts, "dispatch backward"),
        experts.dispatch().backward,
        *(operator.backward for operator in reversed(experts.routing())),
        *_out_of(parts, experts, "experts backward"),
        *_shared_backward(parts, experts.shared()),
        operators.normalization().backward,
    )


def _experts(parts: Splitting) -> ExpertOperators:
    mixture = parts.workload.model.experts
    assert mixture is not None
    return ExpertOperators(parts.workload, mixture)


def _shared_forward(
    parts: Splitting, shared: tuple[Operator, ...]
) -> tuple[Instruction, ...]:
    if not shared:
        return ()
    work = (operator.forward for operator in shared)
    return (*parts.enter("shared"), *work, *parts.leave("shared"))


def _shared_backward(
    parts: Splitting, shared: tuple[Operator, ...]
) -> tuple[Instruction, ...]:
    if not shared:
        return ()
    work = (operator.backward for operator in reversed(shared))
    name = "shared backward"
    return (*parts.enter(name), *work, *parts.leave(name))


def _into(
    parts: Splitting, experts: ExpertOperators, name: str
) -> tuple[Instruction, ...]:
    return () if experts.apart else parts.enter(name)


def _out_of(
    parts: Splitting, experts: ExpertOperators, name: str
) -> tuple[Instruction, ...]:
    return () if experts.apart else parts.leave(name)


def _to_experts(
    parts: Splitting, experts: ExpertOperators, name: str
) -> tuple[Instruction, ...]:
    """Rows to the devices of their experts, and to all that share an expert."""
    if not experts.apart:
        return _all_to_all(experts, name)
    gathered = parts.tensor(
        f"{name} in", CollectiveKind.ALL_GATHER, experts.computed_bytes
    )
    return (*_all_to_all(experts, name), *gathered)


def _from_experts(
    parts: Splitting, experts: ExpertOperators, name: str
) -> tuple[Instruction, ...]:
    if not experts.apart:
        return _all_to_all(experts, name)
    scattered = parts.tensor(
        f"{name} out", CollectiveKind.REDUCE_SCATTER, experts.computed_bytes
    )
    return (*scattered, *_all_to_all(experts, name))


def _all_to_all(experts: ExpertOperators, name: str) -> tuple[Instruction, ...]:
    if experts.workload.parallelism.expert == 1:
        return ()
    return blocking(name, CollectiveKind.ALL_TO_ALL, "expert", experts.sent_bytes)
