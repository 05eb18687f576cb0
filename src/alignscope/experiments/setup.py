"""Preparation of runs: corpora, encoders, models and memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from alignscope._util.seeding import derive_seed
from alignscope.config.run import RunSpec
from alignscope.config.windows import Window
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.encoders.device import device
from alignscope.encoders.load import load_model, load_tokenizer, set_language
from alignscope.encoders.reinitialize import reinitialize_
from alignscope.encoders.tokenization import WordTokenizer, max_input_length
from alignscope.errors import EncoderError
from alignscope.experiments.inputs import load_split
from alignscope.tasks import TASKS
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.finetune import TrainingData, largest_batch
from alignscope.training.frozen import freeze_blocks_
from alignscope.training.memory import (
    MemoryEstimate,
    available_memory,
    measure_memory,
    return_freed_memory_to_os,
)
from alignscope.training.model import TaskModel, build_model
from alignscope.training.stacked.stack import StackedModel
from alignscope.training.trimmed_embeddings import is_untied

USABLE_MEMORY = 0.8
"""The usable fraction of the available memory: the estimate does not include short peaks."""


@dataclass(frozen=True)
class RunInputs:
    """The inputs that all runs of a group share, built once from one of their specifications."""

    encoded: EncodedTask
    """The task with its labels, the tokenizer and the training configuration."""
    data: TrainingData
    """The train and dev splits of the source."""
    tests: Mapping[str, Sequence[Sentence]]
    """The test splits by the name of their corpus, in the order of the specification."""
    source: str
    seed: int
    paths: DataPaths


def load_inputs(run: RunSpec, encoder: PreTrainedModel, paths: DataPaths) -> RunInputs:
    """Read every corpus of a run once, and load the tokenizer of its encoder.

    Raises:
        DataError: if a corpus, a split or an annotation is missing.
        EncoderError: as `load_word_tokenizer` does.
    """
    task = TASKS[run.task]
    data = TrainingData(
        train=load_split(run, run.source, "train", paths),
        dev=load_split(run, run.source, "dev", paths),
    )
    tests = {name: load_split(run, name, "test", paths) for name in run.evaluated}
    tokenizer = load_word_tokenizer(run, encoder)
    encoded = EncodedTask(task, task.labels(data.train), tokenizer, run.training)
    return RunInputs(encoded, data, tests, run.source, run.seed, paths)


def max_stack_size(group: Sequence[RunSpec], first: PreTrainedModel, inputs: RunInputs) -> int:
    """Return how many runs of a group fit into memory at a time, in parts of equal sizes."""
    model = build_stack(group[:1], inputs.encoded.labels, first).model
    needed, available = estimate_memory(model, inputs).total, available_memory(device())
    room = max(1, int(USABLE_MEMORY * available / needed))
    if min(room, len(group)) * needed > available / 2:
        return_freed_memory_to_os()
    parts = -(-len(group) // room)
    return -(-len(group) // parts)


def estimate_memory(model: TaskModel, inputs: RunInputs) -> MemoryEstimate:
    """Estimate the memory that training one model takes, from the largest of its batches."""
    batch, rows = largest_batch(inputs.encoded, inputs.data)
    table = model.encoder.get_input_embeddings().weight
    if not is_untied(model, table):
        rows = len(table)
    return measure_memory(model, inputs.encoded, batch.to(device()), rows)


def build_stack(
    group: Sequence[RunSpec],
    labels: Sequence[str] = ("root",),
    first: PreTrainedModel | None = None,
    where: torch.device | None = None,
) -> StackedModel:
    """Load the models of runs: each encoder with its window re-initialised and a fresh head.

    Args:
        group: runs that differ in their windows alone.
        labels: the label inventory of the heads.
        first: the ablated encoder of the first run, if it is already loaded.
        where: the device; by default a GPU if there is one.

    Raises:
        StackingError: if there are several runs and their encoders cannot be stacked.
    """
    models = []
    for run in group:
        encoder = first if first is not None and run is group[0] else load_ablated_encoder(run)
        model = build_model(encoder, TASKS[run.task], labels, run.seed)
        set_language(model.encoder, parse_corpus(run.source).language)
        models.append(model.to(where or device()))
    return StackedModel(models)


def load_ablated_encoder(run: RunSpec) -> PreTrainedModel:
    """Load the encoder of a run, and re-initialise, skip or freeze its window if it has one."""
    encoder = load_pretrained(run)
    if run.window is not None:
        window = Window.parse(run.window)
        reinitialize_(
            encoder,
            window,
            seed=derive_seed(run.seed, "reinitialize"),
            init=run.init or "config",
            adapters=run.adapters or "reset",
        )
        if run.freeze is not None:
            freeze_blocks_(encoder, window)
    return encoder


def frozen_window(run: RunSpec) -> Window | None:
    """Return the window whose weights a run does not train, or None."""
    return Window.parse(run.window) if run.window is not None and run.freeze else None


def load_pretrained(run: RunSpec) -> PreTrainedModel:
    """Load the unchanged pretrained encoder of a run."""
    return load_model(run.encoder.name, run.encoder.revision, remote_code=run.encoder.remote_code)


def load_word_tokenizer(run: RunSpec, encoder: PreTrainedModel) -> WordTokenizer:
    """Load the tokenizer that belongs to the encoder of a run.

    Raises:
        EncoderError: if there is none, or its vocabulary is larger than the encoder's.
    """
    tokenizer = load_tokenizer(
        run.encoder.name, run.encoder.revision, remote_code=run.encoder.remote_code
    )
    embedded = encoder.get_input_embeddings().num_embeddings
    if len(tokenizer) > embedded:
        raise EncoderError(
            f"The tokenizer of {run.encoder.name} has {len(tokenizer)} subwords, but its encoder "
            f"embeds only {embedded}. They do not belong together; check the encoder's folder."
        )
    limit = max_input_length(encoder) or run.training.max_length
    surface = run.training.words == "surface"
    return WordTokenizer(tokenizer, min(limit, run.training.max_length), surface=surface)
