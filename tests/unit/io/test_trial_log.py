"""TrialLog: what is written is there, and what is damaged is said and mended."""

import json
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cosmic.design.design_point import DesignPoint
from cosmic.errors import StudyError
from cosmic.evaluation.evaluation import Evaluation
from cosmic.io.trial_log import TrialLog, read_trial_log, repair
from cosmic.search.trial import Trial

HEADER = {"agent": "genetic", "seed": 7, "hyper": {"population": 32}, "budget": 100}


def trials(start: int, stop: int) -> list[Trial]:
    """Trials with these numbers."""
    return [
        Trial(
            number=number,
            point=DesignPoint({"x": number}),
            evaluation=Evaluation({"runtime": 1 / (1 + number)}),
            score=float(number),
        )
        for number in range(start, stop)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sound log of a header and six trials."""
    path = tmp_path / "study.jsonl"
    with TrialLog.create(path, HEADER) as log:
        log.write(trials(0, 4))
        log.write(trials(4, 6))
    return path


def test_what_was_written_is_read(path: Path) -> None:
    study = read_trial_log(path)

    assert study.header == {"format": "cosmic trial log", "schema": 1, **HEADER}
    assert [r.number for r in study.trials] == list(range(6))
    assert [r.evaluation for r in study.trials] == [t.evaluation for t in trials(0, 6)]


def test_a_trial_is_on_the_disk_when_write_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    with TrialLog.create(path, HEADER) as log:
        log.write(trials(0, 2))

        assert len(read_trial_log(path).trials) == 2


def test_a_resumed_log_gives_its_trials_and_goes_on_after_them(path: Path) -> None:
    with TrialLog.resume(path, HEADER) as log:
        assert [record.number for record in log.recorded] == list(range(6))
        log.write(trials(4, 9))

    assert [r.number for r in read_trial_log(path).trials] == list(range(9))


def test_trials_that_are_recorded_are_not_written_again(path: Path) -> None:
    before = path.read_bytes()
    with TrialLog.resume(path, HEADER) as log:
        log.write(trials(0, 6))

    assert path.read_bytes() == before


def test_a_gap_in_the_numbers_is_refused(path: Path) -> None:
    with (
        TrialLog.resume(path, HEADER) as log,
        pytest.raises(StudyError, match="trial 8 cannot follow the 6"),
    ):
        log.write(trials(8, 9))


def test_an_existing_file_is_never_overwritten(path: Path) -> None:
    before = path.read_bytes()

    with pytest.raises(
        StudyError, match="the file exists already; nothing was changed"
    ):
        TrialLog.create(path, HEADER)
    assert path.read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"there is no folder '.*/runs'"):
        TrialLog.create(tmp_path / "runs" / "study.jsonl", HEADER)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 8}, "written with seed = 7, but now it is 8; nothing was changed"),
        (
            {"agent": "random", "seed": 8},
            "agent = 'genetic', but now it is 'random'",
        ),
        ({"hyper": {"population": 64}}, "hyper.population = 32, but now it is 64"),
        ({"scope": "full"}, "scope = not set, but now it is 'full'"),
    ],
)
def test_the_first_key_of_the_header_that_differs_is_named(
    path: Path, change: dict[str, object], message: str
) -> None:
    with pytest.raises(StudyError, match=f"study.jsonl:1: .*{message}"):
        TrialLog.resume(path, {**HEADER, **change})


def test_a_key_that_is_no_longer_in_the_header_is_named(path: Path) -> None:
    with pytest.raises(StudyError, match="agent = 'genetic', but now it is not set"):
        TrialLog.resume(path, {"seed": 7, "hyper": {"population": 32}})


def test_the_budget_may_differ(path: Path) -> None:
    with TrialLog.resume(path, {**HEADER, "budget": 1000}) as log:
        assert log.header["budget"] == 100


def test_a_header_is_compared_as_json_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    header = {"stacks": ("network", "collective"), "share": 0.1}
    TrialLog.create(path, header).close()

    TrialLog.resume(path, header).close()


def test_two_writers_are_refused(path: Path) -> None:
    with (
        TrialLog.resume(path, HEADER),
        pytest.raises(StudyError, match="another process is writing it"),
    ):
        TrialLog.resume(path, HEADER)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc of Linux")
def test_a_folder_where_nothing_can_be_made_is_not_taken_for_a_log_in_use() -> None:
    with pytest.raises(StudyError, match=r"study.jsonl.lock: .*nothing was changed"):
        TrialLog.create("/proc/study.jsonl", HEADER)


def test_a_log_in_use_is_not_repaired(path: Path) -> None:
    with (
        TrialLog.resume(path, HEADER),
        pytest.raises(StudyError, match="another process is writing it"),
    ):
        repair(path)


def test_a_refused_resume_gives_the_lock_back(path: Path) -> None:
    with pytest.raises(StudyError, match="seed"):
        TrialLog.resume(path, {**HEADER, "seed": 8})

    TrialLog.resume(path, HEADER).close()


def cut_off(text: bytes) -> bytes:
    """Without the last 10 bytes."""
    return text[:-10]


def cut_block(text: bytes) -> bytes:
    """With the last 10 bytes empty, as a crashed file system leaves a block."""
    return cut_off(text) + b"\0" * 10


def scribble(text: bytes) -> bytes:
    """With a fourth line that is not JSON."""
    lines = text.splitlines(keepends=True)
    return b"".join([*lines[:3], b"???\n", *lines[4:]])


def binary_end(text: bytes) -> bytes:
    """With zeros after it, as a crashed file system leaves them."""
    return text + b"\0" * 4096


def line_lost(text: bytes) -> bytes:
    """Without its fourth line."""
    lines = text.splitlines(keepends=True)
    return b"".join([*lines[:3], *lines[4:]])


DAMAGES = [
    (cut_block, "study.jsonl:7: the line is cut off; nothing was changed", 5),
    (scribble, "study.jsonl:4: the line is not JSON", 2),
    (binary_end, "study.jsonl:8: the line is cut off", 6),
    (line_lost, "study.jsonl:4: the line holds trial 3 where trial 2 should stand", 2),
]


@pytest.mark.parametrize(("damage", "message", "kept"), DAMAGES)
def test_a_damaged_log_is_refused_with_the_line_and_left_as_it_is(
    path: Path, damage: Callable[[bytes], bytes], message: str, kept: int
) -> None:
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()

    for read in (read_trial_log, lambda path: TrialLog.resume(path, HEADER)):
        with pytest.raises(StudyError, match=message) as caught:
            read(path)
        assert f"With --repair the {kept} whole trials before it are kept" in str(
            caught.value
        )
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("damage", "message", "kept"), DAMAGES)
def test_a_repair_keeps_the_whole_trials_and_loses_nothing(
    path: Path, damage: Callable[[bytes], bytes], message: str, kept: int
) -> None:
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    done = repair(path)

    assert done.kept == kept
    assert done.damaged == path.with_name("study.jsonl.damaged")
    assert path.read_bytes() + done.damaged.read_bytes() == before
    assert done.moved == len(done.damaged.read_bytes())
    assert len(read_trial_log(path).trials) == kept


def test_a_last_line_that_was_cut_off_is_set_aside_when_the_study_goes_on(
    path: Path,
) -> None:
    whole = path.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    aside = b""
    for left in range(1, len(last)):
        path.write_bytes(whole[: -len(last)] + last[:left])
        aside += last[:left]

        with TrialLog.resume(path, HEADER) as log:
            assert log.set_aside is not None
            assert (log.set_aside.kept, log.set_aside.moved) == (5, left)
            assert len(log.recorded) == 5
            log.write(trials(5, 6))
        assert path.read_bytes() == whole
        assert log.set_aside.damaged.read_bytes() == aside


def test_a_sound_log_has_nothing_to_set_aside(path: Path) -> None:
    with TrialLog.resume(path, HEADER) as log:
        assert log.set_aside is None
    assert not path.with_name("study.jsonl.damaged").exists()


def test_a_refused_resume_sets_nothing_aside(path: Path) -> None:
    path.write_bytes(cut_off(path.read_bytes()))
    before = path.read_bytes()

    with pytest.raises(StudyError, match="seed"):
        TrialLog.resume(path, {**HEADER, "seed": 8})
    assert path.read_bytes() == before


def test_a_last_line_that_is_being_written_is_not_read(path: Path) -> None:
    assert not read_trial_log(path).cut_off
    path.write_bytes(cut_off(path.read_bytes()))

    study = read_trial_log(path)
    assert study.cut_off
    assert [r.number for r in study.trials] == list(range(5))


def test_a_last_line_that_begins_as_no_trial_does_is_damage(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"number 7 is")

    with pytest.raises(StudyError, match=r"study.jsonl:8: the line is cut off"):
        TrialLog.resume(path, HEADER)


def test_a_log_is_there_with_its_header_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a kill just before the file gets its name leaves is in nobody's way."""

    def kill(*_paths: Path) -> None:
        raise KeyboardInterrupt

    path = tmp_path / "study.jsonl"
    with monkeypatch.context() as patch:
        patch.setattr("cosmic.io.trial_log.os.replace", kill)
        with pytest.raises(KeyboardInterrupt):
            TrialLog.create(path, HEADER)
    assert not path.exists()

    TrialLog.create(path, HEADER).close()
    assert len(read_trial_log(path).trials) == 0
    assert {p.name for p in tmp_path.iterdir()} == {"study.jsonl", "study.jsonl.lock"}


def test_a_second_repair_adds_to_what_the_first_set_aside(path: Path) -> None:
    for _ in range(2):
        path.write_bytes(cut_off(path.read_bytes()))
        done = repair(path)

    assert len(done.damaged.read_bytes().splitlines()) == 1
    assert done.damaged.read_bytes().count(b'"number"') == 2


def test_a_sound_log_needs_no_repair(path: Path) -> None:
    before = path.read_bytes()
    done = repair(path)

    assert (done.kept, done.moved) == (6, 0)
    assert path.read_bytes() == before
    assert not done.damaged.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty, so there is nothing to resume; nothing was changed"),
        (b"\x7fELF\x02\x01\0\0" * 100, ":1: the line is cut off; nothing was changed"),
        (b"\x80\x81\n" * 3, ":1: the line is not JSON"),
        (b"dp,pp\n1,2\n", ":1: the line is not JSON"),
        (b"[]\n", ":1: the line is not a JSON object"),
        (b'{"a": 1}\n', ":1: the line is not the header of a cosmic trial log"),
        (
            b'{"format": "cosmic trial log", "schema": 2}\n',
            ":1: the line is of schema 2, where 1 is known",
        ),
    ],
)
@pytest.mark.parametrize(
    "read", [read_trial_log, repair, lambda path: TrialLog.resume(path, HEADER)]
)
def test_a_file_that_is_no_log_is_refused_by_all(
    tmp_path: Path, content: bytes, message: str, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)

    with pytest.raises(StudyError, match=f"other.jsonl.*{message}"):
        read(path)
    assert path.read_bytes() == content


def test_a_line_without_end_is_not_read_into_memory_whole(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(path.stat().st_size + (1 << 25))  # a hole: it takes no disk

    with pytest.raises(StudyError, match="8: the line is too long"):
        read_trial_log(path)


@pytest.mark.parametrize(
    "read", [read_trial_log, repair, lambda path: TrialLog.resume(path, HEADER)]
)
def test_what_is_no_file_is_refused_by_all(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(StudyError, match="missing: there is no such file"):
        read(tmp_path / "missing")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(StudyError, match=f"{path.name}: is not a file; nothing"):
            read(path)
    assert list(tmp_path.iterdir()) == [tmp_path / "pipe"]


def test_a_file_that_may_not_be_opened_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a stand-in for the system call, since the tests may run as root."""

    def refuse(*_arguments: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("cosmic.io.trial_log.scan", refuse)
    with pytest.raises(StudyError, match=f"{path}: Permission denied; nothing was ch"):
        read_trial_log(path)


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Make writing past a size fail, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_leaves_a_log_of_whole_trials(path: Path) -> None:
    before = path.read_bytes()
    with TrialLog.resume(path, HEADER) as log:
        with (
            file_size_limit(len(before) + 300),
            pytest.raises(StudyError, match=r"cannot be written: .* 6 whole trials"),
        ):
            log.write(trials(6, 20))
        assert path.read_bytes() == before

        log.write(trials(6, 20))
    assert len(read_trial_log(path).trials) == 20


def test_a_disk_that_is_full_from_the_start_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "study.jsonl"
    with file_size_limit(20), pytest.raises(StudyError, match="cannot be written"):
        TrialLog.create(path, HEADER)

    assert not path.exists()
    TrialLog.create(path, HEADER).close()


def test_every_line_is_standard_json(path: Path) -> None:
    lines = path.read_text().splitlines()

    assert len(lines) == 7
    assert all(isinstance(json.loads(line), dict) for line in lines)
