"""How fast public peers are: prints a table and asserts nothing.

Run with the interpreter of an environment of its own, which needs no cosmic:

    python3 -m venv peers
    peers/bin/pip install --no-deps llm-analysis==0.2.2
    peers/bin/pip install 'transformers<5' fire pandas psutil
    peers/bin/pip install --no-deps git+https://github.com/calculon-ai/calculon@caa4b11
    OMP_NUM_THREADS=1 taskset -c 1 peers/bin/python benchmarks/peers.py

`--no-deps`, because llm-analysis asks for a version of huggingface-hub that is too old
for others. The package `calculon` of the registry is another program, so Calculon comes
from its repository. A peer that is not there is left out with a line.

Compared is one design after another in one warm process: GPT-3 175B (96 layers, hidden
12288, 96 heads, sequence 2048) trained on 1,024 devices, tensor parallel 8, pipeline 4,
8 and 16, data parallel the rest, batch 1,024 and 2,048. The rate is the median over
passes through these six designs, for 3 s or more of processor time, so that other
work on the machine counts little.
The peers' answers are not compared, nor do they model the same things: the last column
says what each does. Left out: genz-llm, which has no training, and the registry's
`madmax`, which is a client of a messenger.
"""

import contextlib
import importlib
import io
import itertools
import logging
import platform
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

Design = tuple[int, int]  # pipeline stages, samples of a step
Evaluate = Callable[[Design], object]

DEVICES, TENSOR, SEQUENCE = 1024, 8, 2048
DESIGNS: list[Design] = list(itertools.product((4, 8, 16), (1024, 2048)))
SECONDS = 3.0


def main() -> None:
    """Print a line for each peer."""
    logging.disable(logging.CRITICAL)
    print(f"{processor()}, Python {platform.python_version()}")
    print(f"{'peer':14s}{'version':10s}{'designs/s':>10s}  what it models")
    for name, prepare, models in PEERS:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                evaluate = prepare()
                designs = rate(evaluate)
        except ImportError as missing:
            print(f"{name:14s}left out: {missing}")
        else:
            print(f"{name:14s}{version(name):10s}{designs:10,.0f}  {models}")


def rate(evaluate: Evaluate) -> float:
    """Designs a second, the median over passes, after one that does not count."""
    once(evaluate)
    passes: list[float] = []
    while sum(passes) < SECONDS:
        passes.append(once(evaluate))
    return len(DESIGNS) / statistics.median(passes)


def once(evaluate: Evaluate) -> float:
    """Seconds of processor time of one pass through the designs."""
    start = time.process_time()
    for design in DESIGNS:
        evaluate(design)
    return time.process_time() - start


def calculon() -> Evaluate:
    """Calculon on A100s in nodes of 8, one sample a micro-batch, optimizer sharded."""
    package: Any = importlib.import_module("calculon")
    if not hasattr(package, "Llm"):
        raise ImportError("the package calculon here is another program")
    model = package.Llm.Application(
        {
            "hidden": 12288,
            "feedforward": 49152,
            "seq_size": SEQUENCE,
            "attn_heads": 96,
            "attn_size": 128,
            "num_blocks": 96,
        }
    )
    system = package.System(_calculon_system())
    log = logging.getLogger("calculon")

    def evaluate(design: Design) -> object:
        stages, batch = design
        step = package.Llm(model, log)
        execution = package.Llm.Execution.from_json(_calculon_execution(stages, batch))
        step.compile(system, execution)
        step.run(system)
        return step.get_total_time()

    return evaluate


def _calculon_system() -> dict[str, object]:
    """An A100 of 80 GB as in Calculon's own examples, efficiencies held constant."""
    ops = {"p2p": [1.0, None], "reduce_scatter": [1.0, -1]}
    ops |= {"all_gather": [1.0, -1], "all_reduce": [2.0, -1]}
    network = {"ops": ops, "efficiency": 0.8, "processor_usage": 0.02}
    node = {"bandwidth": 300, "size": 8, "latency": 1e-5, "must_be_filled": True}
    rest = {"bandwidth": 25, "size": 65536, "latency": 2e-5, "must_be_filled": False}
    rate = {"gflops_efficiency": [[0, 0.9]]}
    memory = {"MB_efficiency": [[0, 0.9]]}
    return {
        "matrix": {"float16": {"tflops": 312, **rate}},
        "vector": {"float16": {"tflops": 78, **rate}},
        "mem1": {"GiB": 80, "GBps": 2048, **memory},
        "mem2": {"GiB": 512, "GBps": 32, **memory},
        "processing_mode": "no_overlap",
        "networks": [{**network, **node}, {**network, **rest}],
    }


def _calculon_execution(stages: int, batch: int) -> dict[str, object]:
    return {
        "num_procs": DEVICES,
        "tensor_par": TENSOR,
        "pipeline_par": stages,
        "data_par": DEVICES // TENSOR // stages,
        "tensor_par_net": 0,
        "pipeline_par_net": 1,
        "data_par_net": 1,
        "batch_size": batch,
        "microbatch_size": 1,
        "datatype": "float16",
        "fused_activation": True,
        "attention_type": "multihead",
        "activation_recompute": "full",
        "pipeline_interleaving": 1,
        "optimizer_sharding": True,
        "tensor_par_comm_type": "rs_ag",
        "tensor_par_overlap": "none",
        "seq_par_ag_redo": False,
        "data_par_overlap": False,
        "weight_offload": False,
        "activations_offload": False,
        "optimizer_offload": False,
        "training": True,
    }


def llm_analysis() -> Evaluate:
    """llm-analysis on A100s of 80 GB, one sample a micro-batch, states sharded."""
    analysis: Any = importlib.import_module("llm_analysis.analysis")
    config: Any = importlib.import_module("llm_analysis.config")
    model = config.ModelConfig(
        name="gpt3-175b",
        num_layers=96,
        n_head=96,
        hidden_dim=12288,
        vocab_size=50257,
        max_seq_len=SEQUENCE,
        expansion_ratio=4,
    )
    device = config.get_gpu_config_by_name("a100-sxm-80gb")

    def evaluate(design: Design) -> object:
        stages, batch = design
        data = DEVICES // TENSOR // stages
        parallel = config.ParallelismConfig(
            tp_size=TENSOR, pp_size=stages, dp_size=data, sp_size=TENSOR
        )
        step = analysis.LLMAnalysis(
            model,
            device,
            parallelism_config=parallel,
            flops_efficiency=0.5,
            hbm_memory_efficiency=0.9,
        )
        return step.training(
            batch_size_per_gpu=1,
            gradient_accumulation_steps=batch // data,
            global_batch_size=batch,
            seq_len=SEQUENCE,
            activation_recomputation=analysis.ActivationRecomputation.FULL,
            ds_zero=analysis.DSZeRO.STAGE_1,
        )

    return evaluate


def processor() -> str:
    """The name of the processor, where the system tells it."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


PEERS: list[tuple[str, Callable[[], Evaluate], str]] = [
    ("calculon", calculon, "a step in closed form: one block, links, bubble, memory"),
    (
        "llm-analysis",
        llm_analysis,
        "a step as operations over a rate; no bubble; memory",
    ),
]

if __name__ == "__main__":
    main()
