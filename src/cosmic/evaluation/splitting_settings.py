"""Settings of experts, number formats, recomputation and exchanged gradients."""

from cosmic.design.parameter import Stack
from cosmic.evaluation.setting_kind import Setting

SPLITTING = (
    Setting(
        name="ep",
        stack=Stack.WORKLOAD,
        about="of the dp x sp devices, how many share the routed experts of a layer, "
        "the innermost ones; for models with a mixture of experts",
        default=1,
        late=True,
    ),
    Setting(
        name="precision",
        stack=Stack.WORKLOAD,
        about="in which format products are computed; fp8 leaves attention, weights "
        "and gradients in bf16",
        allowed=("fp32", "tf32", "bf16", "fp16", "fp8"),
        default="bf16",
        late=True,
    ),
    Setting(
        name="gradient_precision",
        stack=Stack.WORKLOAD,
        about="in which format gradients are added up and exchanged; auto is that of "
        "the weights",
        allowed=("auto", "bf16", "fp32"),
        default="auto",
        late=True,
    ),
    Setting(
        name="recompute_layers",
        stack=Stack.WORKLOAD,
        about="in how many layers of each stage recompute does its work, the first "
        "ones; 0 is all",
        at_least=0,
        default=0,
        late=True,
    ),
    Setting(
        name="dropout",
        stack=Stack.WORKLOAD,
        about="whether there is dropout, whose masks are kept for the backward pass",
        allowed=(True, False),
        default=True,
        late=True,
    ),
    Setting(
        name="logit_bytes",
        stack=Stack.WORKLOAD,
        about="bytes of memory for each output over the vocabulary, all its copies and "
        "gradients together: 4 is one copy in fp32, Megatron-LM's loss takes "
        "8, PyTorch's 14",
        at_least=0,
        at_most=64,
        default=4,
        late=True,
    ),
    Setting(
        name="sharding_group",
        stack=Stack.WORKLOAD,
        about="over how many of the dp x sp devices weight_sharding shards, the "
        "innermost ones; the others hold copies of the shards; 0 is all",
        at_least=0,
        default=0,
        late=True,
    ),
    Setting(
        name="gradient_overlap",
        stack=Stack.WORKLOAD,
        about="whether gradients travel while the last backward goes on, and updated "
        "weights while the next forward does",
        allowed=(True, False),
        default=True,
        late=True,
    ),
    Setting(
        name="prefetch",
        stack=Stack.WORKLOAD,
        about="how many layers ahead of their use weight_sharding 3 gathers weights; 0 "
        "waits for them when they are needed",
        at_least=0,
        at_most=64,
        default=1,
        late=True,
    ),
    Setting(
        name="tensor_overlap",
        stack=Stack.WORKLOAD,
        about="whether collectives of tp devices go on behind the products that stand "
        "beside them; for tensor_sequence only",
        allowed=(False, True),
        default=False,
        late=True,
    ),
)
