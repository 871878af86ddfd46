"""Merged logs: of one sequence, the very log of one search."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cosmic.design.design_point import DesignPoint
from cosmic.design.design_space import DesignSpace
from cosmic.design.parameter import Parameter, Stack
from cosmic.design.parameter_set import ParameterSet
from cosmic.errors import StudyError
from cosmic.evaluation.evaluation import Evaluation
from cosmic.evaluation.evaluator import FunctionEvaluator
from cosmic.evaluation.objective import OBJECTIVES
from cosmic.io.study_merge import merge_studies
from cosmic.io.trial_log import TrialLog, read_trial_log
from cosmic.search.agent import Agent, learns, make_agent
from cosmic.search.shard import Shard, make_shard_agent
from cosmic.search.study import Study

PLANE = Parameter(name="x", stack=Stack.NETWORK, choices=(0, 1, 2, 3, 4), dimensions=2)
SPACE = DesignSpace(ParameterSet(name="plane", parameters=(PLANE,)))  # 25 points
BATCH = 4


def evaluate(point: DesignPoint) -> Evaluation:
    """A runtime with many digits."""
    return Evaluation({"runtime": int(point.digest, 16) / 3e18})


def run(path: Path, agent: Agent, header: dict[str, object], trials: int) -> Path:
    """The log of a study, begun or resumed."""
    opened = TrialLog.resume if path.exists() else TrialLog.create
    with opened(path, header) as log:
        study = Study(FunctionEvaluator(evaluate, OBJECTIVES["runtime"]), log)
        study.run(agent, trials=trials, batch=BATCH)
    return path


def header(agent: str, trials: int) -> dict[str, object]:
    """As the command line writes it."""
    return {"agent": agent, "seed": 5, "batch": BATCH, "budget": {"trials": trials}}


def whole(folder: Path, agent: str, trials: int) -> Path:
    """The log of one search."""
    made = make_agent(agent, SPACE, 5)
    return run(folder / "whole.jsonl", made, header(agent, trials), trials)


def sharded(folder: Path, agent: str, trials: int, of: int) -> list[Path]:
    """The logs of the shards, the last one first."""
    logs = []
    for index in range(of, 0, -1):
        shard, in_turn = Shard(index, of), not learns(agent)
        part = {"index": index, "of": of, "one_sequence": in_turn}
        made = make_shard_agent(shard, agent, SPACE, 5, {})
        share = shard.share(trials, BATCH, one_sequence=in_turn)
        said = {**header(agent, trials), "shard": part}
        logs.append(run(folder / f"{index}.jsonl", made, said, share))
    return logs


@pytest.mark.parametrize("agent", ["random", "exhaustive"])
@pytest.mark.parametrize("trials", [3, 8, 17, 24, 25, 400])
@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_shards_of_one_sequence_merge_to_the_log_of_one_search(
    tmp_path: Path, agent: str, trials: int, of: int
) -> None:
    """Also where the space, of 25 points, ends before the budget."""
    expected = whole(tmp_path, agent, trials).read_bytes()
    done = merge_studies(sharded(tmp_path, agent, trials, of), tmp_path / "all.jsonl")

    assert (tmp_path / "all.jsonl").read_bytes() == expected
    assert (done.trials, done.shards) == (min(trials, 25), of)
    assert (done.one_study, done.budget) == (True, trials)


def test_a_merged_study_of_one_sequence_goes_on_as_a_whole_one(tmp_path: Path) -> None:
    merged = tmp_path / "all.jsonl"
    merge_studies(sharded(tmp_path, "random", 10, 2), merged)
    run(merged, make_agent("random", SPACE, 5), header("random", 10), 20)

    assert [t.digest for t in read_trial_log(merged).trials] == [
        t.digest for t in read_trial_log(whole(tmp_path, "random", 20)).trials
    ]


def test_shards_that_learn_are_merged_a_batch_of_each_in_turn(tmp_path: Path) -> None:
    logs = sharded(tmp_path, "genetic", 19, 2)
    done = merge_studies(logs, tmp_path / "all.jsonl")

    merged = read_trial_log(tmp_path / "all.jsonl")
    second, first = (
        [t.digest for t in read_trial_log(log).trials] for log in logs
    )  # 10 and 9
    assert [t.digest for t in merged.trials] == [
        *first[:4], *second[:4], *first[4:8], *second[4:8], *first[8:], *second[8:],
    ]  # fmt: skip
    assert [t.number for t in merged.trials] == list(range(19))
    assert merged.header["shards"] == {"trials": [10, 9]}
    assert "shard" not in merged.header
    assert not done.one_study
    with pytest.raises(StudyError, match="no search goes on with it; nothing was chan"):
        TrialLog.resume(tmp_path / "all.jsonl", header("genetic", 19))


def test_trials_keep_every_byte_but_their_number(tmp_path: Path) -> None:
    logs = sharded(tmp_path, "random", 8, 2)
    text = logs[0].read_bytes().replace(b'"runtime":', b'"runtime":  ')
    logs[0].write_bytes(text.replace(b'{"number":1,', b'{ "number": 1,'))
    merge_studies(logs, tmp_path / "all.jsonl")

    lines = (tmp_path / "all.jsonl").read_bytes().splitlines()
    assert lines[5] == text.splitlines()[1].replace(b'"number":0', b'"number":4')
    assert lines[6].startswith(b'{"number":5,')


def test_a_shard_that_was_interrupted_leaves_no_gap_unsaid(tmp_path: Path) -> None:
    logs = sharded(tmp_path, "random", 24, 2)
    lines = logs[0].read_bytes().splitlines(keepends=True)
    logs[0].write_bytes(b"".join(lines[:7]) + lines[7][:20])  # 6 trials and a bit

    with pytest.raises(
        StudyError, match=r"2.jsonl: holds 6 trials, so that those of shard 1 leave a"
    ):
        merge_studies(logs, tmp_path / "all.jsonl")
    assert not list(tmp_path.glob("*all.*"))


def test_a_study_that_all_shards_have_not_finished_is_the_beginning_of_it(
    tmp_path: Path,
) -> None:
    expected = whole(tmp_path, "random", 24).read_bytes().splitlines(keepends=True)
    logs = sharded(tmp_path, "random", 24, 2)
    for log, trials in zip(logs, (6, 8), strict=True):
        lines = log.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join(lines[: 1 + trials]))
    done = merge_studies(logs, tmp_path / "all.jsonl")

    assert (done.trials, done.budget) == (14, 24)
    assert (tmp_path / "all.jsonl").read_bytes() == b"".join(expected[:15])


def test_logs_that_do_not_go_together_are_one_line(tmp_path: Path) -> None:
    two = sharded(tmp_path, "random", 16, 2)
    (tmp_path / "other").mkdir()
    one = whole(tmp_path, "random", 16)
    three = sharded(tmp_path / "other", "random", 16, 3)
    (tmp_path / "grown").mkdir()
    learned = sharded(tmp_path / "grown", "genetic", 16, 2)
    wrong: list[tuple[Sequence[Path], str]] = [
        ([one], "whole.jsonl: is the log of a whole study, not of a shard"),
        ([*two, one], "whole.jsonl: is the log of a whole study"),
        (two[:1], "the logs are of 1 shards of 2; that of shard 1 is missing"),
        ([*two, two[0]], "2.jsonl: is of shard 2, as .*2.jsonl is"),
        ([two[0], three[1]], "written with shard.of = 3, but .*2.jsonl with 2"),
        ([two[1], learned[0]], "written with agent = 'genetic', but .* with 'random'"),
        ([tmp_path / "none.jsonl"], "none.jsonl: there is no such file"),
        ([tmp_path], "is not a file"),
    ]
    for logs, message in wrong:
        with pytest.raises(StudyError, match=message) as caught:
            merge_studies(logs, tmp_path / "all.jsonl")
        assert "\n" not in str(caught.value)
    with pytest.raises(StudyError, match="the file exists already"):
        merge_studies(two, one)
    with pytest.raises(StudyError, match="there is no folder"):
        merge_studies(two, tmp_path / "missing" / "all.jsonl")
    assert not list(tmp_path.glob("*all.*"))


def test_a_damaged_shard_is_refused_with_the_line(tmp_path: Path) -> None:
    logs = sharded(tmp_path, "random", 24, 2)
    lines = logs[1].read_bytes().splitlines(keepends=True)
    logs[1].write_bytes(b"".join([*lines[:5], b"???\n", *lines[6:]]))

    with pytest.raises(StudyError, match=r"1.jsonl:6: the line is not JSON"):
        merge_studies(logs, tmp_path / "all.jsonl")
    assert not list(tmp_path.glob("*all.*"))
