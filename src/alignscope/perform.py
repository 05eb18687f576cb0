"""One run from start to finish: the table of contents of a study."""

from collections.abc import Callable, Sequence

import torch
from transformers import PreTrainedModel

from alignscope.corpora import read_split
from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.data.places import Places
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import load_encoder, load_tokenizer, speak
from alignscope.encoders.reinitialize import reinitialize
from alignscope.errors import EncoderError
from alignscope.evaluation import Predictions, example, predict
from alignscope.model import Model, build_model
from alignscope.provenance import Stopwatch, provenance
from alignscope.seeds import derive
from alignscope.similarity.cache import Cache
from alignscope.similarity.corpora import cache_in, reader_with
from alignscope.similarity.reader import Reader
from alignscope.similarity.states import similarity_of_run
from alignscope.store import Outcome, Row
from alignscope.study import Run
from alignscope.subwords import Subwords, longest_input
from alignscope.tasks import TASKS
from alignscope.training import Source, fine_tune
from alignscope.window import Window

Progress = Callable[[int, int], None]
"""Called as (step, steps)."""


def perform(run: Run, places: Places, progress: Progress = lambda step, steps: None) -> Outcome:
    """Fine-tune one encoder on one source and score it on every corpus of the run.

    Pure but for reading corpora and weights: the same run gives the same tables on the same
    machine. What is written where is the caller's business.

    Raises:
        DataError, EncoderError: if a corpus or the encoder is not what the run needs.
        SimilarityError: if what the encoder makes of parallel sentences cannot be compared.
        DivergedError: if the loss stops being a number.
    """
    watch = Stopwatch()
    task = TASKS[run.task]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    train = read_split(run, run.source, "train", places)
    dev = read_split(run, run.source, "dev", places)
    source = Source(train, dev, task.labels(train))

    encoder = encoder_of(run)
    subwords = subwords_of(run, encoder)
    model = build_model(encoder, task, source.labels, run.seed).to(device)

    speak(encoder, parse_corpus(run.source).language)
    epochs = fine_tune(
        model, task, source, subwords, run.training, seed=run.seed, device=device, progress=progress
    )
    watch.lap("training")

    scores, examples = _evaluate(run, model, source, subwords, places)
    watch.lap("evaluation")

    similarity = _similarity(run, model, subwords, places)
    watch.lap("similarity")

    return Outcome(
        run=run,
        scores=scores,
        epochs=[vars(epoch) for epoch in epochs],
        provenance=provenance(run, encoder, places, watch),
        similarity=similarity,
        examples=examples,
    )


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


def _evaluate(
    run: Run, model: Model, source: Source, subwords: Subwords, places: Places
) -> tuple[list[Row], list[Row]]:
    """Predict the test split of every corpus; its scores, and a sentence to look at."""
    task, device = TASKS[run.task], model.encoder.device
    scores: list[Row] = []
    examples: list[Row] = []
    for name in run.evaluated:
        gold = read_split(run, name, "test", places)
        speak(model.encoder, parse_corpus(name).language)
        found = predict(model, task, source.labels, gold, subwords, run.training, device)
        scores += _scores(run, name, source, gold, found)
        examples += _examples(run, name, gold, found)
    return scores, examples


def _scores(
    run: Run, name: str, source: Source, gold: Sequence[Sentence], found: Predictions
) -> list[Row]:
    """Score what was predicted for one corpus, beside the source's majority baseline."""
    task, corpus = TASKS[run.task], parse_corpus(name)
    scores = task.score(gold, found.sentences)
    baseline = task.majority(source.train)
    majority = task.score(gold, [baseline(sentence) for sentence in gold])
    return [
        {
            "corpus": name,
            "split": "test",
            "language": corpus.language,
            "relation": relation_between(parse_corpus(run.source), corpus),
            "metric": metric,
            "score": scores[metric],
            "majority": majority[metric],
            "sentences": len(gold),
            "words": sum(map(len, gold)),
            "windowed": found.windowed,
            "cut": found.cut,
            "unknown": found.unknown,
        }
        for metric in task.metrics
    ]


def _examples(run: Run, name: str, gold: Sequence[Sentence], found: Predictions) -> list[Row]:
    """One predicted sentence of a corpus, for people to look at."""
    shown = example(TASKS[run.task], gold, found.sentences)
    return [] if shown is None else [{"corpus": name, **shown}]


def _similarity(run: Run, model: Model, subwords: Subwords, places: Places) -> list[Row]:
    """Compare parallel corpora, if the run asks for it, inside the model and before it was one."""
    if run.similarity is None:
        return []

    def pretrained() -> Reader:
        return reader_with(pretrained_of(run), subwords, cache_in(places))

    return similarity_of_run(run, pretrained, Reader(model.encoder, subwords, Cache(None)), places)
