"""The shapes of a study file and of a comparison of many studies."""

from typing import Annotated, Literal

from pydantic import Field

from cosmic.io.model_schemas import Count
from cosmic.io.schemas import Scalar
from cosmic.io.spec_models import SpecModel

Seed = Annotated[int, Field(ge=0, lt=2**63)]


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
    seed: Seed = 0
    batch: Count = 32


class AgentGridSpec(SpecModel):
    """An agent with every combination of some hyper-parameters.

    Attributes:
        name: Of the agent.
        options: Values of hyper-parameters: one, or a list of those to be tried.
    """

    name: str
    options: dict[str, Scalar | list[Scalar]] = Field(default={})


class QuickSpec(SpecModel):
    """A comparison small enough to be tried.

    Attributes:
        scenarios: Those of the comparison that are left.
        trials: Designs that each search may try.
        seeds: Those that are left.
    """

    scenarios: list[str] = Field(min_length=1)
    trials: Count
    seeds: list[Seed] = Field(min_length=1)


class ComparisonSpec(SpecModel):
    """Searches of every scenario, objective, scope, agent and seed, held together.

    Attributes:
        kind: What the file describes.
        about: One sentence for people.
        source: Where it comes from.
        scenarios: What is searched: presets or files.
        objectives: What is sought.
        scopes: Scopes of their parameter sets, the widest last.
        agents: Who searches.
        trials: Designs that each search may try; a scope with no more is searched
            exhaustively.
        seeds: From which the agents draw.
        batch: Designs asked for at a time.
        quick: What is left of it for a trial.
    """

    kind: Literal["comparison"]
    about: str = ""
    source: str = ""
    scenarios: list[str] = Field(min_length=1)
    objectives: list[str] = Field(min_length=1)
    scopes: list[str] = Field(min_length=1)
    agents: list[AgentGridSpec] = Field(min_length=1)
    trials: Count = 1000
    seeds: list[Seed] = Field(min_length=1)
    batch: Count = 32
    quick: QuickSpec | None = None
