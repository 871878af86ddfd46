"""`cosmic report`: one HTML file that needs nothing else and says what is so."""

import base64
import gzip
import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typing_extensions import override

from cosmic.cli.report import write_report
from cosmic.errors import StudyError

Cosmic = Callable[..., Any]  # the fixture that calls the command line
SECTIONS = (
    *("summary", "design", "time", "memory", "front", "convergence"),
    *("sensitivity", "trials", "provenance"),
)
MADE: dict[str, bytes] = {}  # files by name
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


class Seen(HTMLParser):
    """What stands in a page.

    Attributes:
        tags: Every element with its attributes.
        texts: What the scripts hold, by their ids.
        words: All other text.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.words = ""
        self._script: str | None = None
        self.feed(Path(path).read_text(encoding="utf-8"))

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self._script = dict(attrs).get("id") or "page"
            self.texts[self._script] = ""

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._script = None

    @override
    def handle_data(self, data: str) -> None:
        if self._script is None:
            self.words += data
        else:
            self.texts[self._script] += data

    @property
    def ids(self) -> list[str]:
        return [str(found["id"]) for _, found in self.tags if "id" in found]

    @property
    def sections(self) -> list[str]:
        return [str(found["id"]) for tag, found in self.tags if tag == "section"]

    def trials(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is said of the trials, and their columns by name."""
        packed = gzip.decompress(base64.b64decode(self.texts["data"]))
        line, _, body = packed.partition(b"\n")
        head = json.loads(line)
        kinds = {"u1": "u1", "u4": "<u4", "f4": "<f4"}
        columns = {
            column["name"]: np.frombuffer(
                body, kinds[column["type"]], head["rows"], column["at"]
            )
            for column in head["columns"]
        }
        return head, columns


def trial(number: int, runtime: float | None, **point: object) -> dict[str, object]:
    """A trial as a log holds it; infeasible if it has no time."""
    violations = [{"constraint": "memory", "message": "needs too much"}]
    metrics = {"memory": 1e9 + number}
    if runtime is not None:
        metrics |= {"runtime": runtime, "compute_time": runtime}
    return {
        "number": number,
        "digest": f"{number:016x}",
        "point": {"dp": 2**number, "topology": ["Ring", "Switch"], **point},
        "metrics": metrics,
        "violations": violations if runtime is None else [],
        "score": None if runtime is None else 1 / runtime,
    }


def a_log(
    path: Path, trials: Sequence[Mapping[str, object]], **said: object
) -> tuple[Path, Path]:
    """A log of a scenario that nobody has, and the place of its report."""
    header = {
        "format": "cosmic trial log",
        "schema": 1,
        "cosmic": "0.1.0",
        "study": "mine",
        "scenario": {"name": "nobody-has-it", "digest": "0" * 16},
        "scope": "",
        "space": "0" * 16,
        "objective": "runtime",
        "agent": {"name": "random", "options": {}},
        "seed": 7,
        "batch": 8,
        "budget": {"trials": 100},
        **said,
    }
    lines = [json.dumps(line) + "\n" for line in (header, *trials)]
    log = path / "log.jsonl"
    log.write_text("".join(lines))
    return log, path / "report.html"


@pytest.fixture
def page(cosmic: Cosmic) -> Seen:
    """The report of a study of 24 trials, made once for all tests."""
    if not MADE:
        assert cosmic("search", "study.yaml", "--output", "log.jsonl").code == 0
        found = cosmic("report", "log.jsonl", "--scenario", "tiny.yaml")
        assert found.code == 0
        assert found.out.startswith("log.html: ")
        MADE.update({p: Path(p).read_bytes() for p in ("log.jsonl", "log.html")})
    for name, content in MADE.items():
        Path(name).write_bytes(content)
    return Seen("log.html")


def test_a_report_has_every_section_and_every_id_once(page: Seen) -> None:
    assert set(SECTIONS) <= set(page.sections)
    assert len(page.ids) == len(set(page.ids))
    links = [str(a["href"]) for tag, a in page.tags if tag == "a"]
    assert {link[1:] for link in links} <= set(page.ids)


def test_a_report_says_what_the_search_found(cosmic: Cosmic, page: Seen) -> None:
    found = cosmic(
        "search", "study.yaml", "--output", "log.jsonl", "--resume", "--json"
    )
    best = found.document["best"][0]

    assert f"{best['times_better']:.2f}×" in page.words
    assert f"trial {best['number']:,}" in page.words
    head, columns = page.trials()
    assert head["best"] == best["number"]
    assert (head["rows"], head["higher"]) == (24, True)
    assert columns["times_better"][best["number"]] == pytest.approx(
        best["times_better"], rel=1e-6
    )
    assert np.nanmax(columns["times_better"]) == columns["times_better"][best["number"]]


def test_a_report_carries_every_trial(page: Seen) -> None:
    lines = Path("log.jsonl").read_text().splitlines()[1:]
    head, columns = page.trials()
    texts = {column["name"]: column.get("texts") for column in head["columns"]}

    for number, line in enumerate(lines):
        logged = json.loads(line)
        runtime = logged["metrics"].get("runtime", np.nan)
        assert columns["runtime"][number] == pytest.approx(runtime, nan_ok=True)
        dp = texts["dp"][columns["dp"][number]]
        assert dp == str(logged["point"]["dp"])
        first = texts["topology[0]"][columns["topology[0]"][number]]
        assert first == logged["point"]["topology"][0]


def test_a_report_loads_nothing_and_runs_its_own_script_only(page: Seen) -> None:
    for _, found in page.tags:
        assert not {"src", "srcset", "data", "action", "onclick"} & found.keys()
        assert str(found.get("href", "#"))[0] == "#"
    assert "@import" not in Path("log.html").read_text()
    assert "url(" not in Path("log.html").read_text().partition("</style>")[0]
    policies = [a["content"] for _, a in page.tags if "http-equiv" in a]
    script = hashlib.sha256(page.texts["page"].encode()).digest()
    [policy] = policies
    assert str(policy).startswith("default-src 'none';")
    assert f"'sha256-{base64.b64encode(script).decode()}'" in str(policy)
    assert set(page.texts) == {"specs", "data", "plotly", "page"}
    assert b"parcoords" in gzip.decompress(base64.b64decode(page.texts["plotly"]))


def test_a_report_serves_those_who_do_not_see_the_charts(page: Seen) -> None:
    charts = [a for _, a in page.tags if a.get("class") == "chart"]
    specs = json.loads(page.texts["specs"])

    assert {str(a["id"]) for a in charts} == {
        "parallel",
        *(f"chart-{name}" for name in specs),
    }
    assert all(a["role"] == "img" and a["aria-label"] for a in charts)
    html = next(a for tag, a in page.tags if tag == "html")
    assert html["lang"] == "en"
    levels = [tag for tag, _ in page.tags if tag in ("h1", "h2", "h3")]
    assert levels[0] == "h1"
    assert set(levels[1:]) == {"h2"}


def test_a_picture_of_one_step_is_in_the_report(page: Seen) -> None:
    assert [tag for tag, _ in page.tags].count("svg") == 1
    assert "One step of the best design" in page.words
    assert "stage 0" in page.words


def test_the_parts_of_the_time_sum_to_the_step(page: Seen) -> None:
    data = json.loads(page.texts["specs"])["time"]["data"]
    head, columns = page.trials()
    total = sum(part["x"][1] for part in data)  # in ms or us: the best design

    runtime = float(columns["runtime"][head["best"]])
    assert total / runtime == pytest.approx(10 ** round(np.log10(total / runtime)))


def test_the_same_log_gives_the_same_bytes(page: Seen, tmp_path: Path) -> None:
    again = tmp_path / "again.html"
    write_report("log.jsonl", again, "tiny.yaml")

    assert again.read_bytes() == Path("log.html").read_bytes()


def test_without_its_scenario_a_report_says_so_and_compares_nothing(
    tmp_path: Path,
) -> None:
    log, to = a_log(tmp_path, [trial(0, 2.0), trial(1, None), trial(2, 1.0)])
    write_report(log, to)
    page = Seen(to)

    assert "its scenario 'nobody-has-it' is no preset; give the file" in page.words
    assert "The best design of 3 trials" in page.words
    assert {"design", "time", "convergence", "trials", "breaches"} <= set(page.sections)
    assert "needs too much" in page.words
    head, columns = page.trials()
    assert (head["best"], head["higher"]) == (2, False)
    assert columns["feasible"].tolist() == [0, 1, 0]


def test_a_log_does_not_say_which_file_is_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("secret: 42")
    said = {"name": str(secret), "digest": "0" * 16}
    log, to = a_log(tmp_path, [trial(0, 1.0)], scenario=said)
    write_report(log, to)

    assert "is no preset; give the file with --scenario" in Seen(to).words


def test_a_report_of_another_scenario_is_refused_in_a_line(cosmic: Cosmic) -> None:
    assert cosmic("search", "study.yaml", "--output", "log.jsonl").code == 0
    scenario = "gpt3-175b-1024-devices-v1"
    found = cosmic("report", "log.jsonl", "--scenario", scenario)

    assert found.code == 2
    assert "was written for another version of scenario" in found.err
    assert not Path("log.html").exists()


def test_a_log_without_trials_has_a_report(tmp_path: Path) -> None:
    log, to = a_log(tmp_path, [])
    write_report(log, to)

    page = Seen(to)
    assert "holds no trials yet" in page.words
    assert page.sections == ["summary", "trials", "provenance"]
    assert page.texts["data"] == ""


def test_a_study_without_an_answer_has_a_report(tmp_path: Path) -> None:
    log, to = a_log(tmp_path, [trial(0, None), trial(1, None)])
    write_report(log, to)

    page = Seen(to)
    assert "None of the 2 trials is feasible" in page.words
    assert page.sections == ["summary", "trials", "breaches", "provenance"]
    head, _ = page.trials()
    assert (head["best"], head["drawn_if"]) == (None, None)


def test_a_single_trial_has_a_report(tmp_path: Path) -> None:
    log, to = a_log(tmp_path, [trial(0, 1.0)])
    write_report(log, to)

    page = Seen(to)
    assert "The best design of the one trial" in page.words
    assert "front" not in page.sections  # nothing varies


def test_no_text_of_a_log_becomes_part_of_the_page(tmp_path: Path) -> None:
    hostile = {HOSTILE: HOSTILE, "a" + HOSTILE: [HOSTILE, "Ring"]}
    bad = trial(0, None)
    bad["violations"] = [{"constraint": HOSTILE, "message": HOSTILE}]
    log, to = a_log(
        tmp_path,
        [bad, trial(1, 2.0, **hostile), trial(2, 1.0)],
        study=HOSTILE,
        scenario={"name": HOSTILE, "digest": HOSTILE},
        agent={"name": HOSTILE, "options": {HOSTILE: HOSTILE}},
        seed=HOSTILE,
        scope=HOSTILE,
        cosmic=HOSTILE,
    )
    write_report(log, to)

    page = Seen(to)
    assert HOSTILE in page.words  # as text
    assert sum(tag == "script" for tag, _ in page.tags) == 4
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert "<" not in page.texts["specs"]
    assert "alert" not in page.texts["page"]


def test_values_that_are_no_finite_numbers_do_no_harm(tmp_path: Path) -> None:
    odd = [trial(0, 1.0, a=1), trial(1, 2.0, a=True), trial(2, 3.0, a="x")]
    odd[1]["metrics"] = {"runtime": "inf", "memory": "nan"}
    odd[1]["score"] = "nan"
    log, to = a_log(tmp_path, odd)
    log.write_text(log.read_text().replace('"a": 1,', '"a": 1e999,'))
    write_report(log, to)

    head, _ = Seen(to).trials()
    assert head["best"] == 0


def test_crowds_of_trials_are_thinned_where_they_are_drawn(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    many = [trial(n % 40, float(1 + t)) for n, t in enumerate(rng.random(6000))]
    for number, one in enumerate(many):
        one["number"], one["digest"] = number, f"{number:016x}"
    log, to = a_log(tmp_path, many)
    write_report(log, to)

    page = Seen(to)
    dots = json.loads(page.texts["specs"])["convergence"]["data"][0]["x"]
    assert len(dots) <= 2500
    assert f"{len(dots):,} of 6,000 feasible trials are drawn" in page.words
    assert page.trials()[0]["rows"] == 6000


def test_designs_that_were_tried_twice_are_told_apart(tmp_path: Path) -> None:
    twice = [trial(0, 1.0), trial(1, 2.0), trial(2, 1.0)]
    twice[2]["digest"] = twice[0]["digest"]
    log, to = a_log(tmp_path, twice)
    write_report(log, to)

    _, columns = Seen(to).trials()
    assert columns["again"].tolist() == [0, 0, 1]


def test_a_log_that_is_being_written_has_a_report(cosmic: Cosmic, page: Seen) -> None:
    log = Path("log.jsonl")
    log.write_bytes(log.read_bytes()[:-20])
    found = cosmic("report", "log.jsonl", "--scenario", "tiny.yaml")

    assert found.code == 0
    assert "left out a last line that is not whole" in found.err
    assert Seen("log.html").trials()[0]["rows"] == 23
    assert page.trials()[0]["rows"] == 24


def test_the_command_that_makes_the_study_is_given(tmp_path: Path) -> None:
    log, to = a_log(tmp_path, [trial(0, 1.0)], scope="network_only", study="my study")
    write_report(log, to)

    assert (
        "cosmic search 'my study' --scope network_only --objective runtime --agent "
        "random --trials 100 --seed 7 --batch 8 --output log.jsonl"
    ) in Seen(to).words


def test_a_place_where_no_report_can_be_is_refused(tmp_path: Path) -> None:
    log, _ = a_log(tmp_path, [trial(0, 1.0)])

    with pytest.raises(StudyError, match=r"a report ends in \.html"):
        write_report(log, tmp_path / "log.jsonl")
    with pytest.raises(StudyError, match="cannot be written"):
        write_report(log, tmp_path / "none" / "report.html")


def test_without_the_extra_a_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, to = a_log(tmp_path, [trial(0, 1.0)])
    for name in [n for n in sys.modules if n.startswith("cosmic.report")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "cosmic.cli.report", raising=False)
    monkeypatch.setitem(sys.modules, "plotly.offline", None)

    from cosmic.cli.main import run  # noqa: PLC0415 - it loads the rest when called

    assert run(["report", str(log), "--to", str(to)]) == 2
    assert not to.exists()
