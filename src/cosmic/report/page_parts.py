"""What a report is made of: sections of words, tables, charts and pictures."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Spec = Mapping[str, object]
"""A chart as Plotly takes it: `data` and `layout`. A text such as `$accent` in it is a
color of the page, which the browser fills in, light or dark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Texts in rows.

    Attributes:
        heads: Of the columns.
        rows: A text for each column.
        words: Columns that stand to the left; numbers stand to the right.
        marked: Rows that stand out.
        folded: What to press to see it; empty where it is always seen.
        look: `designs` of designs side by side, `prose` of sentences,
            `prose path` of changes one after the other; or empty.
    """

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)
    marked: frozenset[int] = frozenset()
    folded: str = ""
    look: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart that the browser draws.

    Attributes:
        name: A word for its place in the page.
        about: What is to be seen in it, for those who do not see it.
        spec: What is drawn.
        height: In pixels of the page.
    """

    name: str
    about: str
    spec: Spec
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that is ready.

    Attributes:
        about: What is to be seen in it, for those who do not see it.
        svg: The picture, made by this package; it is not escaped.
    """

    about: str
    svg: str


Block = str | Table | Chart | Picture
"""What stands in a section; a text is a paragraph."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One heading and what stands below it.

    Attributes:
        name: A word for links.
        title: The heading.
        words: Paragraphs.
        blocks: What follows them.
        code: A command, shown as such; may be empty.
    """

    name: str
    title: str
    words: tuple[str, ...] = ()
    blocks: tuple[Block, ...] = ()
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A report.

    Attributes:
        title: What it is of.
        subtitle: A line below.
        figures: The few numbers that count: each with what it is of.
        words: The summary.
        sections: What follows.
        trials: All trials, as `packed` gives them; empty if there are none.
        explorer_at: The place among the sections of the one that shows all trials.
        written_by: What wrote it.
    """

    title: str
    subtitle: str
    figures: tuple[tuple[str, str], ...]
    words: tuple[str, ...]
    sections: tuple[Section, ...]
    trials: bytes
    explorer: Section
    explorer_at: int
    written_by: str
    links: tuple[tuple[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        ordered = [*self.sections]
        ordered.insert(self.explorer_at, self.explorer)
        links = tuple((section.name, section.title) for section in ordered)
        object.__setattr__(self, "links", links)
