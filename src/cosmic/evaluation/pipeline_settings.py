"""Settings of how layers are shared out over a pipeline."""

from cosmic.design.parameter import Stack
from cosmic.evaluation.setting_kind import Setting

PIPELINE = (
    Setting(
        name="virtual_stages",
        stack=Stack.WORKLOAD,
        about="parts of the model that each of the pp devices holds, which makes the "
        "schedule 1f1b interleaved; micro-batches must be a multiple of pp",
        at_most=1024,
        default=1,
        late=True,
    ),
    Setting(
        name="first_stage_layers",
        stack=Stack.WORKLOAD,
        about="layers of the first of the pp devices, over its virtual stages; 0 for "
        "an even share",
        at_least=0,
        default=0,
        late=True,
    ),
    Setting(
        name="last_stage_layers",
        stack=Stack.WORKLOAD,
        about="layers of the last of the pp devices, over its virtual stages; 0 for "
        "an even share",
        at_least=0,
        default=0,
        late=True,
    ),
)
