"""`cosmic merge`: the logs of all shards of a study as one."""

from collections.abc import Sequence

from cosmic.cli.console import say
from cosmic.io.study_merge import merge_studies


def merge_logs(logs: Sequence[str], output: str) -> None:
    """Merge logs, and say what they came to.

    Raises:
        StudyError: They are not those of all shards of one study.
    """
    done = merge_studies(logs, output)
    say(f"{output}: {done.trials:,} trials of {done.shards} shards")
    if not done.one_study:
        say("each shard searched on its own; this log is to be read, not resumed")
    elif done.budget is not None and done.trials < done.budget:
        say(
            f"the study is to have {done.budget:,}: search --resume goes on with it, "
            f"unless its designs are all tried"
        )
