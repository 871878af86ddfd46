"""Launchers: a design in the words of the frameworks that train models.

`LaunchPlan` is what is to be launched; each framework's own file makes a `Launch` of
it. A framework cannot be told everything that a design says. What it cannot is a note,
one sentence, so that nobody takes a run for the design that it is not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cosmic.design.parameter import PointValue
from cosmic.evaluation.configuration import tensor_degree
from cosmic.evaluation.setting import DEFAULTS
from cosmic.workload.model import TransformerModel

_NCCL_ALGORITHMS = {
    ("ring",): "ring",
    ("ring", "doubleBinaryTree"): "tree",
    ("doubleBinaryTree",): "tree",
    ("nvls",): "nvls",
    ("nvls", "doubleBinaryTree"): "nvlstree",
}
"""Algorithms inside a node and between nodes, and what NCCL calls the two together: its
tree is a chain inside a node and a double binary tree between nodes."""

_KINDS = ("all_reduce", "all_gather", "reduce_scatter")
_LATE: Mapping[str, PointValue] = {
    "ep": 1,
    "dropout": True,
    "virtual_stages": 1,
    "first_stage_layers": 0,
    "last_stage_layers": 0,
    "precision": "bf16",
    "gradient_precision": "auto",
    "recompute_layers": 0,
    "sharding_group": 0,
    "tensor_overlap": False,
    "gradient_overlap": True,
    "prefetch": 1,
}
"""What holds where a design does not say it and no setting has a default for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A design as a framework takes it.

    Attributes:
        framework: Its name, with the version whose names are used.
        arguments: What it is told, by the framework's own names.
        text: The same as the file to give it.
        environment: Variables to set, by name.
        notes: What of the design it cannot be told, or takes otherwise; a sentence
            each.
        refusals: Why it cannot run the design; none if it can.
        needs: What it must be told besides, which no design says.
    """

    framework: str
    arguments: Mapping[str, object]
    text: str
    environment: Mapping[str, str]
    notes: tuple[str, ...]
    needs: tuple[str, ...]
    refusals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPlan:
    """What is to be launched.

    Attributes:
        title: What it is, in a line.
        model: What is trained.
        batch: Sequences in a step.
        settings: The design, a value for each setting.
        node: Devices of a node; 0 where that is not known.
        library: Whether a communication library carries the collectives, so that
            chunks and protocols are its own business.
    """

    title: str
    model: TransformerModel
    batch: int
    settings: Mapping[str, PointValue]
    node: int = 0
    library: bool = False

    def value(self, name: str) -> PointValue:
        """What the design says, or else what holds where nobody says anything."""
        if name in self.settings:
            return self.settings[name]
        return DEFAULTS[name] if name in DEFAULTS else _LATE[name]

    def count(self, name: str) -> int:
        """A setting that is a whole number."""
        return int(str(self.value(name)))

    def word(self, name: str) -> str:
        """A setting that is a word."""
        return str(self.value(name))

    @property
    def tensor(self) -> int:
        """The tensor degree: said, or what the other degrees leave."""
        return tensor_degree(self.settings)

    @property
    def devices(self) -> int:
        """All devices."""
        others = self.count("dp") * self.count("pp") * self.count("sp")
        return self.tensor * others

    @property
    def weight_sharding(self) -> int:
        """The ZeRO stage, however the design writes it."""
        if "weight_sharded" in self.settings:
            return 3 if self.settings["weight_sharded"] else 0
        return self.count("weight_sharding")

    @property
    def replicas(self) -> int:
        """Devices that hold the same weights, over which gradients are summed."""
        return self.count("dp") * self.count("sp")

    @property
    def sharding_group(self) -> int:
        """Replicas that share one copy of what is sharded."""
        return self.count("sharding_group") or self.replicas

    @property
    def micro_batches(self) -> int:
        """Micro-batches of one replica in a step."""
        return self.batch // (self.count("dp") * self.count("micro_batch"))

    @property
    def stages(self) -> int:
        """Pipeline stages, virtual ones counted."""
        return self.count("pp") * self.count("virtual_stages")

    @property
    def uneven(self) -> bool:
        """Whether the first or the last stage has its own number of layers."""
        return bool(self.count("first_stage_layers") or self.count("last_stage_layers"))

    @property
    def gradient_precision(self) -> str:
        """The type in which gradients are added up: said, or that of the weights."""
        said = self.word("gradient_precision")
        if said != "auto":
            return said
        return {"fp8": "bf16", "tf32": "fp32"}.get(
            self.word("precision"), self.word("precision")
        )


def common_notes(plan: LaunchPlan) -> Iterator[str]:
    """What no framework can be told, one sentence each."""
    if plan.word("scheduling_policy") == "LIFO" and plan.replicas > 1:
        yield (
            "scheduling_policy LIFO has no equivalent: collectives start in the order "
            "in which they are issued, which is FIFO"
        )
    if plan.word("multi_dim_optimization") == "themis":
        yield (
            "multi_dim_optimization themis has no equivalent: NCCL and RCCL route "
            "every part of a collective alike"
        )
    if not plan.library and (
        plan.count("chunks") > 1 or plan.count("active_chunks") > 1
    ):
        yield (
            "chunks has no equivalent: the communication library cuts buffers by "
            "itself, and the system names no library that was simulated"
        )
    if plan.word("placement") != "inner_first":
        yield (
            f"placement {plan.word('placement')} has no equivalent: ranks count node "
            f"by node; hand the launcher a list of hosts in that order"
        )
    for kind in _KINDS:
        if _nccl_name(plan, kind) is None:
            names = ", ".join(_algorithms(plan, kind))
            yield f"{kind}_algorithm [{names}] has no name in NCCL_ALGO"


def collective_environment(plan: LaunchPlan) -> dict[str, str]:
    """The variables that hold NCCL to the design's algorithms, as far as it has them.

    Reference:
        NCCL 2.30.7 (github.com/NVIDIA/nccl, commit 5067397), src/graph/tuning.cc: lists
        by kind of collective. NCCL_PROTO is left alone, since no design chooses it.
    """
    named = {kind: _nccl_name(plan, kind) for kind in _KINDS}
    parts = [f"{kind.replace('_', '')}:{n}" for kind, n in named.items() if n]
    return {"NCCL_ALGO": ";".join(parts)} if parts else {}


def _nccl_name(plan: LaunchPlan, kind: str) -> str | None:
    names = _algorithms(plan, kind)
    name = _NCCL_ALGORITHMS.get(tuple(dict.fromkeys(names)))
    only_all_reduce = name in ("tree", "nvlstree")
    return None if only_all_reduce and kind != "all_reduce" else name


def _algorithms(plan: LaunchPlan, kind: str) -> tuple[str, ...]:
    value = plan.settings.get(f"{kind}_algorithm", ())
    return tuple(map(str, value)) if isinstance(value, tuple) else (str(value),)


def comment(lines: tuple[str, ...] | list[str], width: int = 86) -> str:
    """Lines as comments of a shell script or a TOML file, wrapped between words."""
    text = []
    for line in lines:
        row = "#"
        for word in line.split():
            if len(row) + 1 + len(word) > width and row != "#":
                text.append(row)
                row = "#  "
            row += f" {word}"
        text.append(row)
    return "".join(f"{row}\n" for row in text)


def header(plan: LaunchPlan, framework: str, notes: tuple[str, ...]) -> str:
    """The comment that a file begins with: what it is, and its notes."""
    title = f"for {framework}: {plan.title}"
    return comment([title, *(f"- {note}" for note in notes)])
