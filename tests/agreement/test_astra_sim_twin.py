"""The compiled event loop agrees with its slow and plain twin, to the nanosecond."""

import pytest
from hypothesis import given, settings
from tests.agreement.astra_sim_graphs import Case, cases, traces_of
from tests.agreement.astra_sim_twin import finish_times

from cosmic.errors import TraceError
from cosmic.simulation.astra_sim.engine import run_traces


@settings(max_examples=200)
@given(cases())
def test_every_rank_finishes_when_the_twin_says(case: Case) -> None:
    traces = traces_of(case.nodes)

    expected = finish_times(traces, case.inputs)

    if None in expected:
        with pytest.raises(TraceError, match=r"rank \d+, node \d+: .*never"):
            run_traces(traces, case.inputs)
    else:
        assert run_traces(traces, case.inputs).finish.tolist() == expected
