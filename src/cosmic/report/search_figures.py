"""Pictures of searches: how agents compare, and Pareto fronts."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from cosmic.report.figures import picture


def agents_figure(
    title: str, about: str, lines: Mapping[str, npt.NDArray[np.float64]], path: str
) -> None:
    """Draw the best so far of agents: a line for the median, a band for quartiles.

    The same lines make the same file, byte by byte.

    Args:
        title: What stands above.
        about: What is sought.
        lines: Agent to a row for each seed and a column for each trial: the best
            score so far over the best known; not a number before the first.
        path: Where to write; the ending says in what format.

    Raises:
        SpecError: There is no such format.
        OSError: The file cannot be written.
    """
    with picture(f"{title}: {about}", path, (8, 5)) as axes:
        for name, rows in lines.items():
            known = np.nan_to_num(rows, nan=0.0)
            low, middle, high = np.quantile(
                known, [0.25, 0.5, 0.75], axis=0, method="lower"
            )
            trials = np.arange(1, known.shape[1] + 1)
            [line] = axes.plot(trials, middle, label=name)
            axes.fill_between(trials, low, high, color=line.get_color(), alpha=0.15)
        axes.set_xscale("log")
        axes.set_xlabel("trials")
        axes.set_ylabel("best score so far / best known")


def front_figure(
    title: str,
    names: tuple[str, str],
    trials: Sequence[tuple[float, float]],
    front: Sequence[tuple[float, float]],
    path: str,
) -> None:
    """Draw designs by two values that are better low, and the front among them.

    The same designs make the same file, byte by byte.

    Args:
        title: What stands above.
        names: Of the two values, with units.
        trials: All designs.
        front: Those that no other one beats, in the order of the first value.
        path: Where to write; the ending says in what format.

    Raises:
        SpecError: There is no such format.
        OSError: The file cannot be written.
    """
    with picture(title, path, (7, 5)) as axes:
        everywhere, best = np.array(trials), np.array(front)
        axes.scatter(
            everywhere[:, 0], everywhere[:, 1], s=6, alpha=0.4, label="designs tried"
        )
        axes.plot(
            best[:, 0],
            best[:, 1],
            "o-",
            color="tab:red",
            markersize=4,
            label="Pareto front",
        )
        if (everywhere > 0).all():
            axes.set_xscale("log")
            axes.set_yscale("log")
        axes.set_xlabel(names[0])
        axes.set_ylabel(names[1])
