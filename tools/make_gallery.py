"""Runs the studies of design questions and writes docs/gallery: pictures and answers.

    python tools/make_gallery.py [--logs FOLDER]

Logs that are there already are read instead of searching again; without `--logs` they
are under .cache/gallery. The whole takes a few minutes of one core.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosmic.cli.gains import where_gain_comes_from
from cosmic.cli.main import run
from cosmic.cli.wording import changed_genes, gain, metric_text, ratio_text
from cosmic.evaluation.evaluator import Evaluator
from cosmic.evaluation.metrics import METRICS
from cosmic.io.specs import StudyPlan, load_study
from cosmic.io.trial_log import read_trial_log
from cosmic.report.answer_figures import parts_figure, scaling_figure
from cosmic.report.search_figures import front_figure
from cosmic.search.pareto import pareto_front
from cosmic.search.trial import RecordedTrial

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "docs" / "gallery"
BATCHES = (1024, 2048, 4096, 8192, 16384)
MOST_TOLD = 3  # studies of one question; of more, the first and the last
PARTS = {
    "compute_time": "computing",
    "exposed_tensor": "tensor communication",
    "exposed_sequence": "sequence communication",
    "exposed_data": "gradients and weights",
    "bubble": "pipeline bubble",
}
HEAD = """# Gallery: answers to design questions

Written by `make gallery` from the studies that come with the package. Every figure is
of one search with seed 0, which need not have found the best design there is. The page
[Ask design questions](../how-to/ask-design-questions.md) says what they mean and how to
ask your own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """A study that has run.

    Attributes:
        plan: What it was.
        baseline: Metrics of its baseline.
        trials: Those that are feasible.
    """

    plan: StudyPlan
    baseline: Mapping[str, float]
    trials: Sequence[RecordedTrial]

    @property
    def best(self) -> RecordedTrial:
        """The best trial."""
        return max(self.trials, key=lambda trial: trial.score)


Draw = Callable[[Sequence[Answer], Path], Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A section of the page.

    Attributes:
        title: What is asked.
        studies: Those that answer.
        draw: Draws the picture, of a path without its ending; gives its file.
        told: Metrics of the table.
    """

    title: str
    studies: tuple[str, ...]
    draw: Draw
    told: tuple[str, ...]


def answer(name: str, logs: Path) -> Answer:
    """Run a study, unless its log is there, and read it."""
    plan = load_study(name)
    log = logs / f"{name}.jsonl"
    if not log.exists() and run(["search", name, "--output", str(log), "--json"]):
        raise SystemExit(f"{name}: the search failed")
    trials = [t for t in read_trial_log(log).trials if t.evaluation.feasible]
    found = Evaluator(plan.scenario).inspect(plan.scenario.baseline).evaluation
    return Answer(plan=plan, baseline=found.metrics, trials=trials)


def draw_parts(answers: Sequence[Answer], path: Path) -> Path:
    """Where the time of baseline and best design goes."""
    designs = {}
    for one in answers:
        name = one.plan.name.removesuffix("-v1") if len(answers) > 1 else ""
        for word, metrics in (
            ("baseline", one.baseline),
            ("best design", one.best.evaluation.metrics),
        ):
            label = f"{name}: {word}" if name else word
            designs[label] = {
                words: metrics[part] for part, words in PARTS.items() if part in metrics
            }
    file = path.with_suffix(".svg")
    parts_figure("Where the time goes", designs, str(file))
    return file


def draw_batches(answers: Sequence[Answer], path: Path) -> Path:
    """Time of a sequence by the batch."""
    lines: dict[str, list[tuple[float, float]]] = {"baseline": [], "best design": []}
    for one in answers:
        batch = one.plan.scenario.batch
        for word, metrics in (
            ("baseline", one.baseline),
            ("best design", one.best.evaluation.metrics),
        ):
            lines[word].append((batch, 1e3 * metrics["runtime"] / batch))
    file = path.with_suffix(".svg")
    names = ("sequences in a step", "ms for each sequence")
    scaling_figure("Time for each sequence, GPT-3 175B", names, lines, str(file))
    return file


def draw_front(first: str, second: str) -> Draw:
    """Draws all designs tried by two metrics, and the front among them."""

    def draw(answers: Sequence[Answer], path: Path) -> Path:
        [one] = answers
        pairs = [
            (t.evaluation.metrics[first], t.evaluation.metrics[second])
            for t in one.trials
        ]
        front = [pairs[row] for row in pareto_front(np.array(pairs))]
        file = path.with_suffix(".png")
        front_figure(
            one.plan.name, (axis(first), axis(second)), pairs, front, str(file)
        )
        return file

    return draw


def axis(metric: str) -> str:
    """A metric with its unit, beside an axis."""
    return f"{metric.replace('_', ' ')} ({METRICS[metric].unit})"


QUESTIONS = (
    Question(
        title="How does the best design change with the batch?",
        studies=tuple(f"batch-{batch}-v1" for batch in BATCHES),
        draw=draw_batches,
        told=("runtime", "total_bandwidth"),
    ),
    Question(
        title="What does a chat service need, and what answering questions?",
        studies=("chat-v1", "question-answering-v1"),
        draw=draw_parts,
        told=("runtime", "ttft", "tpot", "total_bandwidth"),
    ),
    Question(
        title="Which one network serves four models?",
        studies=("four-models-v1",),
        draw=draw_parts,
        told=("runtime", "total_bandwidth", "memory"),
    ),
    Question(
        title="How much compute and memory bandwidth should a device have?",
        studies=("compute-v1",),
        draw=draw_front("system_cost", "runtime"),
        told=("runtime", "system_cost", "network_cost"),
    ),
    Question(
        title="Which network is best for two million dollars?",
        studies=("network-budget-v1",),
        draw=draw_parts,
        told=("runtime", "network_cost", "total_bandwidth"),
    ),
    Question(
        title="Which cluster is best if a job may fill 16 GB of a device?",
        studies=("memory-limit-v1",),
        draw=draw_front("system_cost", "runtime"),
        told=("runtime", "system_cost", "memory"),
    ),
    Question(
        title="How much bandwidth is worth buying?",
        studies=("bandwidth-worth-buying-v1",),
        draw=draw_front("network_cost", "runtime"),
        told=("runtime", "network_cost", "total_bandwidth"),
    ),
    Question(
        title="What is the cheapest system that gives a token in 20 ms?",
        studies=("time-per-token-v1",),
        draw=draw_front("system_cost", "tpot"),
        told=("tpot", "ttft", "system_cost", "network_cost"),
    ),
)


def section(question: Question, answers: Sequence[Answer], picture: Path) -> str:
    """The text of one question."""
    lines = [f"## {question.title}", ""]
    lines += [f"    cosmic search {name}" for name in question.studies]
    lines += ["", f"![{question.title}]({picture.name})", ""]
    heads = ["study", "design", *(name.replace("_", " ") for name in question.told)]
    lines += [row([*heads, "times better"]), row(["---"] * (len(heads) + 1))]
    for one in answers:
        sought, best = one.plan.scenario.objective, one.best.evaluation.metrics
        times = gain(sought, one.baseline, best)
        lines.append(
            row([one.plan.name, "baseline", *told(question, one.baseline), ""])
        )
        lines.append(row(["", "best", *told(question, best), ratio_text(times)]))
    for one in answers if len(answers) < MOST_TOLD else (answers[0], answers[-1]):
        lines += ["", f"`{one.plan.name}`: {reason(one)}", "", *changes(one)]
    return "\n".join(lines)


def reason(one: Answer) -> str:
    """In words what changed most."""
    sought, best = one.plan.scenario.objective, one.best.evaluation.metrics
    return where_gain_comes_from(sought, one.baseline, best)


def told(question: Question, metrics: Mapping[str, float]) -> list[str]:
    """The metrics of a row."""
    return [metric_text(name, metrics[name]) for name in question.told]


def changes(one: Answer) -> Iterator[str]:
    """What the best design changed, but for the algorithms of collectives."""
    scenario = one.plan.scenario
    values = scenario.space.parameter_set.values
    rows = changed_genes([values(scenario.baseline), values(one.best.point)])
    shown = [cells for cells in rows if "_algorithm" not in cells[0]]
    texts = [f"{name} {old} -> {new}" for name, old, new in shown]
    yield f"Changed: {'; '.join(texts)}; and {len(rows) - len(shown)} algorithms."


def row(cells: Sequence[str]) -> str:
    """A row of a table."""
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the page and its pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logs", type=Path, default=ROOT / ".cache" / "gallery")
    logs: Path = parser.parse_args().logs
    logs.mkdir(parents=True, exist_ok=True)
    GALLERY.mkdir(parents=True, exist_ok=True)
    texts = [HEAD]
    for question in QUESTIONS:
        answers = [answer(name, logs) for name in question.studies]
        picture = question.draw(answers, GALLERY / question.studies[0])
        texts.append(section(question, answers, picture))
    (GALLERY / "README.md").write_text("\n\n".join(texts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
