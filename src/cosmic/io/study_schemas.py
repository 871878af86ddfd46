"""The shape of a study file."""

from typing import Annotated, Literal

from pydantic import Field

from cosmic.io.model_schemas import Count
from cosmic.io.schemas import Scalar
from cosmic.io.spec_models import SpecModel


class AgentSpec(SpecModel):
    """Who searches.

    Attributes:
        name: Of the agent.
        options: Hyper-parameters that differ from their defaults.
    """

    name: str = "genetic"
    options: dict[str, Scalar] = Field(default={})


class StudySpec(SpecModel):
    """A search to run.

    Attributes:
        kind: What the file describes.
        about: One sentence for people.
        scenario: What is searched: a preset or a file.
        scope: A scope of its parameter set; everything if left out.
        objective: What is sought, instead of what the scenario says.
        agent: Who searches.
        trials: Designs to try.
        seed: From which the agent draws.
        batch: Designs asked for at a time.
    """

    kind: Literal["study"]
    about: str = ""
    scenario: str
    scope: str | None = None
    objective: str | None = None
    agent: AgentSpec = AgentSpec()
    trials: Count = 1000
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    batch: Count = 32
