"""What runs need before they begin: corpora, encoders, models, and room for them in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from alignscope._util.seeding import derive
from alignscope.config.run import Run
from alignscope.config.windows import Window
from alignscope.data.corpus import parse_corpus
from alignscope.data.paths import Places
from alignscope.data.sentence import Sentence
from alignscope.encoders.device import device
from alignscope.encoders.load import load_encoder, load_tokenizer, speak
from alignscope.encoders.reinitialize import reinitialize
from alignscope.encoders.tokenization import Subwords, longest_input
from alignscope.errors import EncoderError
from alignscope.experiments.inputs import read_split
from alignscope.tasks import TASKS, Task
from alignscope.training.finetune import Source, largest_batch
from alignscope.training.memory import Footprint, available_memory, footprint, give_back_at_once
from alignscope.training.model import Model, build_model
from alignscope.training.stacked.stack import Stack
from alignscope.training.trimmed_embeddings import is_alone

MEMORY_USED = 0.8
"""Of what is available: an estimate knows nothing of what is needed for a moment."""


@dataclass(frozen=True)
class Setting:
    """What the runs of a group have in common."""

    task: Task
    source: Source
    gold: Mapping[str, Sequence[Sentence]]
    subwords: Subwords
    places: Places


def setting_of(run: Run, encoder: PreTrainedModel, places: Places) -> Setting:
    """Read all corpora of a run, each of them once."""
    task = TASKS[run.task]
    train = read_split(run, run.source, "train", places)
    dev = read_split(run, run.source, "dev", places)
    gold = {name: read_split(run, name, "test", places) for name in run.evaluated}
    subwords = subwords_of(run, encoder)
    return Setting(task, Source(train, dev, task.labels(train)), gold, subwords, places)


def fitting(group: Sequence[Run], first: PreTrainedModel, setting: Setting) -> int:
    """How many of the runs there is memory for at a time, of equal portions."""
    model = stack_of(group[:1], setting.source.labels, first).model
    needed, there = footprint_of(group[0], model, setting).total, available_memory(device())
    room = max(1, int(MEMORY_USED * there / needed))
    if min(room, len(group)) * needed > there / 2:
        give_back_at_once()
    return -(-len(group) // -(-len(group) // room))


def footprint_of(run: Run, model: Model, setting: Setting) -> Footprint:
    """Measure what training a run's model takes, on the largest of its batches."""
    batch, rows = largest_batch(setting.task, setting.source, setting.subwords, run.training)
    copies, table = run.training.epochs > 1, model.encoder.get_input_embeddings().weight
    if not is_alone(model, table):
        rows = len(table)
    batch = batch.to(device())
    return footprint(model, setting.task, batch, rows, run.training.precision, copies=copies)


def stack_of(
    group: Sequence[Run],
    labels: Sequence[str] = ("root",),
    first: PreTrainedModel | None = None,
    where: torch.device | None = None,
) -> Stack:
    """Load what runs fine-tune, each encoder with its window re-initialised and a fresh head.

    ``first`` is the encoder of the first run, where it has been loaded already; ``where`` is the
    GPU, if there is one, unless it is said.

    Raises:
        StackError: if there are several runs, and their encoders cannot be computed as one.
    """
    models = []
    for run in group:
        encoder = first if first is not None and run is group[0] else encoder_of(run)
        model = build_model(encoder, TASKS[run.task], labels, run.seed)
        speak(model.encoder, parse_corpus(run.source).language)
        models.append(model.to(where or device()))
    return Stack(models)


def encoder_of(run: Run) -> PreTrainedModel:
    """Load the encoder of a run and re-initialise its window, if it has one."""
    encoder = pretrained_of(run)
    if run.window is not None:
        reinitialize(
            encoder,
            Window.parse(run.window),
            seed=derive(run.seed, "reinitialize"),
            init=run.init or "config",
            adapters=run.adapters or "reset",
        )
    return encoder


def pretrained_of(run: Run) -> PreTrainedModel:
    """Load the encoder of a run as it was before anything was done to it."""
    return load_encoder(run.encoder.name, run.encoder.revision, remote_code=run.encoder.remote_code)


def subwords_of(run: Run, encoder: PreTrainedModel) -> Subwords:
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
    limit = longest_input(encoder) or run.training.max_pieces
    return Subwords(tokenizer, min(limit, run.training.max_pieces))
