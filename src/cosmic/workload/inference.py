"""What is asked of a model that answers, in place of a training step.

A prefill takes all tokens of the prompts through the model, fills the cache of keys and
values and gives each sequence its first token. A decode step takes the latest token of
each sequence through the model and gives it the next one. A request is a prefill and
as many decode steps as it takes for the rest of its tokens.
"""

import enum
from dataclasses import dataclass

from cosmic.errors import ConsistencyError, SpecError
from cosmic.workload.model import TransformerModel
from cosmic.workload.parallelism import Parallelism, Recompute


class Task(enum.Enum):
    """What a workload does; the values are words for files and messages.

    TRAIN: training steps. PREFILL: prompts up to the first token. DECODE: one token for
    each sequence. SERVE: whole requests, a prefill and the decode steps after it.
    """

    TRAIN = "train"
    PREFILL = "prefill"
    DECODE = "decode"
    SERVE = "serve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inference:
    """Sequences of equal lengths that are answered together.

    Attributes:
        task: What is done of a request; not training.
        prompt: Tokens of each prompt; of a decode step, the tokens that it attends to,
            itself included.
        output: Tokens that each sequence is given, the first by the prefill; 1 for a
            prefill or a decode step.
        weight_bits: Bits in which a weight is stored; activations have those of the
            workload.
        cache_bits: Bits in which a key's or a value's element is stored.
    """

    task: Task
    prompt: int
    output: int = 1
    weight_bits: int = 16
    cache_bits: int = 16

    def __post_init__(self) -> None:
        if self.task is Task.TRAIN:
            raise SpecError("training is no inference")
        if self.prompt < 1 or self.output < 1:
            raise SpecError(
                f"prompt and output must be at least 1 token, not {self.prompt} and "
                f"{self.output}"
            )
        if self.task is not Task.SERVE and self.output != 1:
            raise SpecError(f"a {self.task.value} gives 1 token, not {self.output}")
        if self.weight_bits < 1 or self.cache_bits < 1:
            raise SpecError(
                f"weight_bits and cache_bits must be at least 1, not "
                f"{self.weight_bits} and {self.cache_bits}"
            )

    @property
    def prefills(self) -> bool:
        """Whether the prompts are taken through the model."""
        return self.task is not Task.DECODE

    @property
    def answers(self) -> bool:
        """Whether there are tokens after the first."""
        return self.task is not Task.PREFILL

    @property
    def queries(self) -> int:
        """Tokens of each sequence that a pass takes through the model."""
        return self.prompt if self.prefills else 1

    @property
    def contexts(self) -> range:
        """How many tokens each decode step attends to, itself included.

        >>> Inference(task=Task.SERVE, prompt=100, output=4).contexts
        range(101, 104)
        """
        if self.task is Task.DECODE:
            return range(self.prompt, self.prompt + 1)
        return range(self.prompt + 1, self.prompt + self.output)

    @property
    def longest(self) -> int:
        """Tokens of a sequence in the cache when it is fullest."""
        return self.prompt + self.output - 1

    def check(
        self, model: TransformerModel, split: Parallelism, recompute: Recompute
    ) -> None:
        """Check that what is for training is left alone, and that tokens have places.

        Raises:
            ConsistencyError: It is not, or they have not.
        """
        if (
            model.learned_positions
            and model.vocabulary
            and (self.longest > model.sequence)
        ):
            raise ConsistencyError(
                f"prompt and output need {self.longest} positions, and the model has "
                f"learned {model.sequence}"
            )
        if model.patches is not None or (not model.causal and self.answers):
            raise ConsistencyError(
                "only a causal model of words gives tokens one by one: not one of "
                "images, nor one whose tokens attend to later ones"
            )
        if split.weight_sharding or recompute is not Recompute.NONE:
            raise ConsistencyError(
                "weight_sharding and recompute are for training: inference has "
                "weight_sharding 0 and recompute none"
            )
        if split.virtual_stages > 1:
            raise ConsistencyError(
                "virtual_stages is for training: in inference a stage holds layers in "
                "a row"
            )
        if self.task is not Task.PREFILL and (
            split.sequence > 1 or split.tensor_sequence
        ):
            raise ConsistencyError(
                "a decode step has one token of a sequence: sp must be 1 and "
                f"tensor_sequence false, not {split.sequence} and "
                f"{str(split.tensor_sequence).lower()}"
            )
