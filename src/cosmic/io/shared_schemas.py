"""The shape of a file about several workloads on one system."""

from typing import Annotated, Literal

from pydantic import Field

from cosmic.io.spec_models import SpecModel


class SharedScenarioSpec(SpecModel):
    """Several workloads that share one system.

    Attributes:
        kind: What the file describes.
        about: One sentence for people.
        source: Where the numbers are from.
        members: Scenarios of one system and one parameter set, presets or files, by a
            label; `dp_LABEL` is then what the parameter `dp` is for one of them.
        weights: How much the time of each label counts in the mean; 1 if left out.
        objective: What is sought, where a study says nothing else.
    """

    kind: Literal["shared_scenario"]
    about: str = ""
    source: str = ""
    members: Annotated[dict[str, str], Field(min_length=2, max_length=16)]
    weights: dict[str, Annotated[float, Field(gt=0, le=1e9)]] = Field(default={})
    objective: str = "runtime"
