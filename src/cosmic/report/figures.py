"""Pictures of answers, as files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from cosmic.errors import CosmicError, SpecError

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
except ImportError as error:
    raise CosmicError(
        "pictures need Matplotlib: pip install 'matplotlib>=3.9', or install cosmic "
        "with its extra, cosmic[plot]"
    ) from error

_ENDINGS = (".svg", ".png", ".pdf")
_MARKERS = "os^D"


def check_picture(path: str) -> None:
    """Check that a picture can be written in the format that its name says.

    Raises:
        SpecError: There is no such format.
    """
    if not path.lower().endswith(_ENDINGS):
        allowed = ", ".join(_ENDINGS)
        raise SpecError(f"--plot {path}: a picture ends in one of {allowed}")


@contextmanager
def picture(
    title: str, path: str, size: tuple[float, float] = (7, 4.5)
) -> Iterator[Axes]:
    """Axes to draw on, with a grid and a legend; what is drawn is written to a file.

    The same lines make the same file, byte by byte.

    Args:
        title: What stands above.
        path: Where to write; the ending says in what format.
        size: Width and height in inches.

    Raises:
        SpecError: There is no such format.
        OSError: The file cannot be written.
    """
    check_picture(path)
    with mpl.rc_context({"svg.hashsalt": "cosmic", "svg.fonttype": "none"}):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        yield axes
        axes.set_title(title)
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend()
        figure.savefig(Path(path), metadata=_no_date(path))


def bandwidth_figure(
    title: str, lines: Mapping[str, Sequence[tuple[float, float]]], path: str
) -> None:
    """Draw bandwidth over message size, both on logarithmic axes, and write a file.

    The same lines make the same file, byte by byte.

    Args:
        title: What stands above.
        lines: Name to points of bytes and bytes/s.
        path: Where to write; the ending says in what format.

    Raises:
        SpecError: There is no such format.
        OSError: The file cannot be written.
    """
    with picture(title, path) as axes:
        for name, points in lines.items():
            sizes, bandwidths = zip(*points, strict=True)
            axes.plot(
                sizes,
                [bandwidth / 1e9 for bandwidth in bandwidths],
                label=name,
                linestyle="--" if name == "bound" else "-",
                marker="" if name == "bound" else "o",
                markersize=3,
            )
        axes.set_xscale("log", base=2)
        axes.set_yscale("log")
        axes.set_xlabel("size [B]")
        axes.set_ylabel("bus bandwidth [GB/s]")


def agreement_figure(
    title: str, points: Mapping[str, Sequence[tuple[float, float]]], path: str
) -> None:
    """Draw predicted over published seconds, both on logarithmic axes.

    The diagonal is agreement. The same points make the same file, byte by byte.

    Args:
        title: What stands above.
        points: Source to points of published and predicted time.
        path: Where to write; the ending says in what format.

    Raises:
        SpecError: There is no such format.
        OSError: The file cannot be written.
    """
    check_picture(path)
    with mpl.rc_context({"svg.hashsalt": "cosmic", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7, 6), layout="constrained")
        axes = figure.subplots()
        for index, (name, pairs) in enumerate(points.items()):
            published, predicted = zip(*pairs, strict=True)
            marker = _MARKERS[index // 10 % len(_MARKERS)]
            axes.scatter(published, predicted, s=12, label=name, marker=marker)
        times = [time for pairs in points.values() for pair in pairs for time in pair]
        if times:
            ends = [min(times), max(times)]
            axes.plot(ends, ends, color="black", linewidth=0.8)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("published [s]")
        axes.set_ylabel("predicted [s]")
        axes.set_title(title)
        axes.grid(visible=True, which="major", alpha=0.3)
        if points:
            axes.legend(fontsize="x-small")
        figure.savefig(Path(path), metadata=_no_date(path))


def _no_date(path: str) -> dict[str, None]:
    return {} if path.lower().endswith(".png") else {_DATE[Path(path).suffix]: None}


_DATE = {".svg": "Date", ".pdf": "CreationDate"}
