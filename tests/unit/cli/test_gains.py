"""Plain words on where a gain comes from."""

from cosmic.cli.gains import where_gain_comes_from
from cosmic.cli.wording import gain, scientific
from cosmic.evaluation.objective import objective_named

BEFORE = {
    "runtime": 10.0,
    "compute_time": 6.0,
    "exposed_data": 3.0,
    "bubble": 1.0,
    "total_bandwidth": 800e9,
    "tokens_per_second": 100.0,
}


def after(**changes: float) -> dict[str, float]:
    return {**BEFORE, **changes}


def test_the_greatest_cause_stands_first() -> None:
    found = after(runtime=8.0, exposed_data=1.0, total_bandwidth=200e9)
    sentence = where_gain_comes_from(
        objective_named("perf_per_bandwidth"), BEFORE, found
    )

    assert sentence == (
        "the bandwidth of a device falls 4.00 times, from 800 GB/s to 200 GB/s; "
        "the step takes 8 s instead of 10 s, 1.25 times faster, most of it in waiting "
        "for gradients and weights (3 s -> 1 s)."
    )


def test_what_the_objective_does_not_read_is_not_praised() -> None:
    found = after(total_bandwidth=200e9)

    sentence = where_gain_comes_from(objective_named("runtime"), BEFORE, found)

    assert sentence == "nothing has changed that counts."


def test_a_loss_is_told_as_one() -> None:
    found = after(runtime=12.0, bubble=3.0)

    sentence = where_gain_comes_from(objective_named("throughput"), BEFORE, found)

    assert (
        "1.20 times slower, most of it in the pipeline bubble (1 s -> 3 s)" in sentence
    )


def test_times_better_goes_the_way_of_the_objective() -> None:
    faster = after(runtime=5.0, tokens_per_second=200.0)

    assert gain(objective_named("runtime"), BEFORE, faster) == 2
    assert gain(objective_named("throughput"), BEFORE, faster) == 2
    assert gain(objective_named("perf_per_cost"), BEFORE, faster) is None


def test_a_count_of_any_size_has_a_short_form() -> None:
    assert scientific(266) == "2.66e+02"
    assert scientific(10**400) == "1.00e+400"
