"""Full-stack co-design of distributed machine-learning systems.

The public face: every name below may be imported from here, and is loaded when it is
first asked for, so that `import cosmic` stays fast.
"""

from importlib import import_module

__version__ = "0.1.0"

_FACE = {
    "cosmic.cli.report": ("write_report",),
    "cosmic.collective.policy": ("CollectivePolicy",),
    "cosmic.compute.cost_model": ("Roofline",),
    "cosmic.compute.device": ("Device",),
    "cosmic.design.constraint": ("Constraint", "Expression"),
    "cosmic.design.derived": ("Derived",),
    "cosmic.design.design_point": ("DesignPoint",),
    "cosmic.design.design_space": ("DesignSpace",),
    "cosmic.design.parameter": ("Parameter", "Stack"),
    "cosmic.design.parameter_set": ("ParameterSet",),
    "cosmic.errors": (
        "ConsistencyError",
        "CosmicError",
        "SpecError",
        "StudyError",
        "UnitError",
        "UnknownNameError",
    ),
    "cosmic.evaluation.configuration": ("Configuration",),
    "cosmic.evaluation.evaluation": ("Evaluation", "Violation"),
    "cosmic.evaluation.evaluator": ("Evaluator", "FunctionEvaluator"),
    "cosmic.evaluation.objective": ("Objective", "Term"),
    "cosmic.evaluation.scenario": ("Scenario",),
    "cosmic.io.models": ("load_model",),
    "cosmic.io.specs": ("load_scenario", "load_study"),
    "cosmic.io.study_export": ("export_study",),
    "cosmic.io.study_merge": ("merge_studies",),
    "cosmic.io.study_summary": ("summarize_study",),
    "cosmic.io.trial_log": ("TrialLog", "read_trial_log"),
    "cosmic.network.dimension": ("Dimension", "Shape"),
    "cosmic.network.topology": ("Topology",),
    "cosmic.report.timeline": ("trace_document",),
    "cosmic.search.agents.exhaustive": ("Exhaustive",),
    "cosmic.search.agents.genetic": ("GeneticAlgorithm",),
    "cosmic.search.agents.random_search": ("RandomSearch",),
    "cosmic.search.study": ("Study",),
    "cosmic.search.trial": ("Trial",),
    "cosmic.search.warm_start": ("WarmStart",),
    "cosmic.search.understanding": ("ablation_path", "alternatives", "importances"),
    "cosmic.simulation.collective_bound": ("least_time",),
    "cosmic.simulation.event_driven": ("EventDrivenSimulator",),
    "cosmic.simulation.result": ("SimulationResult",),
    "cosmic.simulation.single_collective": ("fastest_collective", "time_collective"),
    "cosmic.simulation.symmetric": ("SymmetricSimulator",),
    "cosmic.simulation.timeline": ("Timeline", "timeline"),
    "cosmic.system.cluster": ("Cluster",),
    "cosmic.system.device_order": ("Placement",),
    "cosmic.system.system": ("System",),
    "cosmic.trace.execution_graph": ("Group",),
    "cosmic.trace.node": ("CollectiveKind",),
    "cosmic.workload.lowering": ("lower",),
    "cosmic.workload.model": ("TransformerModel",),
    "cosmic.workload.parallelism": ("Parallelism",),
    "cosmic.workload.workload": ("Workload",),
}
_HOME = {name: module for module, names in _FACE.items() for name in names}

__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604 - all of them are text


def __getattr__(name: str) -> object:
    """Load a public name from where it lives."""
    if name not in _HOME:
        raise AttributeError(f"module 'cosmic' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Every public name."""
    return sorted(__all__)
