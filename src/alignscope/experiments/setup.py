"""What runs need before they begin: corpora, encoders, models, and room for them in memory."""

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
from alignscope.tasks import TASKS, Task
from alignscope.training.finetune import TrainingData, largest_batch
from alignscope.training.memory import (
    MemoryEstimate,
    available_memory,
    measure_memory,
    return_freed_memory_to_os,
)
from alignscope.training.model import TaskModel, build_model
from alignscope.training.stacked.stack import StackedModel
from alignscope.training.trimmed_embeddings import is_untied

MEMORY_USED = 0.8
"""Of what is available: an estimate knows nothing of what is needed for a moment."""


@dataclass(frozen=True)
class RunInputs:
    """What the runs of a group have in common."""

    task: Task
    source: TrainingData
    gold: Mapping[str, Sequence[Sentence]]
    subwords: WordTokenizer
    places: DataPaths


def load_inputs(run: RunSpec, encoder: PreTrainedModel, places: DataPaths) -> RunInputs:
    """Read all corpora of a run, each of them once."""
    task = TASKS[run.task]
    train = load_split(run, run.source, "train", places)
    dev = load_split(run, run.source, "dev", places)
    gold = {name: load_split(run, name, "test", places) for name in run.evaluated}
    subwords = load_word_tokenizer(run, encoder)
    return RunInputs(task, TrainingData(train, dev, task.labels(train)), gold, subwords, places)


def max_stack_size(group: Sequence[RunSpec], first: PreTrainedModel, setting: RunInputs) -> int:
    """How many of the runs there is memory for at a time, of equal portions."""
    model = build_stack(group[:1], setting.source.labels, first).model
    needed, there = estimate_memory(group[0], model, setting).total, available_memory(device())
    room = max(1, int(MEMORY_USED * there / needed))
    if min(room, len(group)) * needed > there / 2:
        return_freed_memory_to_os()
    return -(-len(group) // -(-len(group) // room))


def estimate_memory(run: RunSpec, model: TaskModel, setting: RunInputs) -> MemoryEstimate:
    """Measure what training a run's model takes, on the largest of its batches."""
    batch, rows = largest_batch(setting.task, setting.source, setting.subwords, run.training)
    copies, table = run.training.epochs > 1, model.encoder.get_input_embeddings().weight
    if not is_untied(model, table):
        rows = len(table)
    batch = batch.to(device())
    return measure_memory(model, setting.task, batch, rows, run.training.precision, copies=copies)


def build_stack(
    group: Sequence[RunSpec],
    labels: Sequence[str] = ("root",),
    first: PreTrainedModel | None = None,
    where: torch.device | None = None,
) -> StackedModel:
    """Load what runs fine-tune, each encoder with its window re-initialised and a fresh head.

    ``first`` is the encoder of the first run, where it has been loaded already; ``where`` is the
    GPU, if there is one, unless it is said.

    Raises:
        StackError: if there are several runs, and their encoders cannot be computed as one.
    """
    models = []
    for run in group:
        encoder = first if first is not None and run is group[0] else load_ablated_encoder(run)
        model = build_model(encoder, TASKS[run.task], labels, run.seed)
        set_language(model.encoder, parse_corpus(run.source).language)
        models.append(model.to(where or device()))
    return StackedModel(models)


def load_ablated_encoder(run: RunSpec) -> PreTrainedModel:
    """Load the encoder of a run and re-initialise its window, if it has one."""
    encoder = load_pretrained(run)
    if run.window is not None:
        reinitialize_(
            encoder,
            Window.parse(run.window),
            seed=derive_seed(run.seed, "reinitialize"),
            init=run.init or "config",
            adapters=run.adapters or "reset",
        )
    return encoder


def load_pretrained(run: RunSpec) -> PreTrainedModel:
    """Load the encoder of a run as it was before anything was done to it."""
    return load_model(run.encoder.name, run.encoder.revision, remote_code=run.encoder.remote_code)


def load_word_tokenizer(run: RunSpec, encoder: PreTrainedModel) -> WordTokenizer:
    """Load the tokenizer that goes with the encoder of a run.

    Raises:
        EncoderError: if there is none, or it has pieces that the encoder does not embed.
    """
    tokenizer = load_tokenizer(
        run.encoder.name, run.encoder.revision, remote_code=run.encoder.remote_code
    )
    known = encoder.get_input_embeddings().num_embeddings
    if len(tokenizer) > known:
        raise EncoderError(
            f"the tokenizer of {run.encoder.name} has {len(tokenizer)} pieces, its encoder "
            f"embeds {known}: they do not belong together"
        )
    limit = max_input_length(encoder) or run.training.max_length
    return WordTokenizer(tokenizer, min(limit, run.training.max_length))
