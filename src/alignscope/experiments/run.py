"""One run from start to finish: the table of contents of a study."""

from collections.abc import Mapping, Sequence

from transformers import PreTrainedModel

from alignscope.config.run import RunSpec
from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.data.paths import DataPaths
from alignscope.data.sentence import Sentence
from alignscope.encoders.device import device
from alignscope.encoders.load import needs_language, set_language
from alignscope.errors import (
    AlignScopeError,
    DivergedError,
    InsufficientMemoryError,
    SimilarityError,
    StackingError,
)
from alignscope.experiments.cost import StepTimer, count_work
from alignscope.experiments.provenance import ResourceUse, Stopwatch, provenance
from alignscope.experiments.setup import (
    RunInputs,
    build_stack,
    estimate_memory,
    load_ablated_encoder,
    load_inputs,
    load_pretrained,
    max_stack_size,
)
from alignscope.results.store import Row, RunFailure, RunOutcome, RunResult
from alignscope.similarity.cache import RepresentationCache
from alignscope.similarity.compare import default_cache, make_extractor
from alignscope.similarity.extractor import RepresentationExtractor
from alignscope.similarity.stages import run_similarity
from alignscope.training.finetune import Progress, fine_tune_stacked
from alignscope.training.loop import TrainingHistory
from alignscope.training.memory import PeakMemory, is_out_of_memory, release_memory
from alignscope.training.predict import Predictions, example_prediction, predict_stacked
from alignscope.training.stacked.stack import StackedModel

Ended = RunResult | DivergedError | SimilarityError
"""How a run ended."""


def execute_run(
    run: RunSpec, places: DataPaths, progress: Progress = lambda step, steps: None
) -> RunResult:
    """Fine-tune one encoder on one source and score it on every corpus of the run.

    Pure but for reading corpora and weights: the same run gives the same tables on the same
    machine. What is written where is the caller's business.

    Raises:
        DataError, EncoderError: if a corpus or the encoder is not what the run needs.
        SimilarityError: if what the encoder makes of parallel sentences cannot be compared.
        DivergedError: if the loss stops being a number.
        MemoryShortError: if there is not enough memory.
    """
    (ended,) = _perform([run], places, progress)
    if isinstance(ended, AlignScopeError):
        raise ended
    return ended


def execute_runs(
    group: Sequence[RunSpec], places: DataPaths, progress: Progress = lambda step, steps: None
) -> list[RunOutcome]:
    """Perform runs that differ in their windows alone, in lockstep: each gives what it gives alone.

    But for rounding, that is, and on a GPU for what dropout draws (`one_mask.OneMask`).

    A run that diverges, or whose encoder cannot be compared, fails by itself.

    Raises:
        DataError, EncoderError: as `execute_run` does.
        MemoryShortError: if there is not enough memory for one run.
    """
    return [
        ended if isinstance(ended, RunResult) else RunFailure(run, str(ended))
        for run, ended in zip(group, _perform(group, places, progress), strict=True)
    ]


def _perform(group: Sequence[RunSpec], places: DataPaths, progress: Progress) -> list[Ended]:
    """Perform as many runs at a time as there is memory for."""
    peak, encoder = PeakMemory(device()), load_ablated_encoder(group[0])
    inputs = load_inputs(group[0], encoder, places)
    size, ended = max_stack_size(group, encoder, inputs), list[Ended]()
    first: PreTrainedModel | None = encoder
    del encoder
    while len(ended) < len(group):
        part = group[len(ended) : len(ended) + size]
        try:
            ended += _in_lockstep(part, first, inputs, progress, peak)
        except StackingError:
            size = 1  # the sweep tried only two of them
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if size == 1:
                raise InsufficientMemoryError(part[0].label) from error
            size = -(-size // 2)
        first = None  # it has been trained
        release_memory()
        peak = PeakMemory(device())
    return ended


def _in_lockstep(
    group: Sequence[RunSpec],
    first: PreTrainedModel | None,
    inputs: RunInputs,
    progress: Progress,
    peak: PeakMemory,
) -> list[Ended]:
    """Train, evaluate and compare the encoders of runs; ``peak`` was made before any was loaded."""
    watch = Stopwatch(len(group))
    stack = build_stack(group, inputs.encoded.labels, first)
    needed = len(stack) * estimate_memory(stack.members[0], inputs).total

    meter = StepTimer(count_work(inputs), progress)
    histories = fine_tune_stacked(
        stack, inputs.encoded, inputs.data, seed=inputs.seed, progress=meter
    )
    watch.lap("training")

    alive = [number for number, history in enumerate(histories) if history.error is None]
    evaluated = _evaluate(stack, alive, inputs)
    watch.lap("evaluation")
    cost = ResourceUse(meter.seconds, needed, peak.bytes())

    def ended(number: int, history: TrainingHistory) -> Ended:
        if history.error is not None:
            return history.error
        run, encoder = group[number], stack.members[number].encoder
        scores, examples = evaluated[number]
        try:
            similarity = _similarity(run, encoder, inputs)
        except SimilarityError as error:
            watch.laps_of_one("similarity")
            return error
        epochs = [vars(epoch) for epoch in history.epochs]
        told = provenance(run, encoder, inputs.paths, watch, cost)
        return RunResult(run, scores, epochs, told, similarity, examples)

    return [ended(number, history) for number, history in enumerate(histories)]


def _evaluate(
    stack: StackedModel, members: Sequence[int], inputs: RunInputs
) -> dict[int, tuple[list[Row], list[Row]]]:
    """Predict the test split of every corpus; by model its scores, and sentences to look at."""
    if not members:
        return {}
    tests = inputs.tests
    majority = {name: _majority(inputs, sentences) for name, sentences in tests.items()}
    found = {member: dict[str, Predictions]() for member in members}
    for names in _read_at_once(stack.encoder, list(tests)):
        set_language(stack.encoder, parse_corpus(names[0]).language)
        corpora = {name: tests[name] for name in names}
        predicted = predict_stacked(stack, members, inputs.encoded, corpora)
        for member, by_corpus in zip(members, predicted, strict=True):
            found[member] |= by_corpus
    return {
        member: (_scores(inputs, by_corpus, majority), _examples(inputs, by_corpus))
        for member, by_corpus in found.items()
    }


def _read_at_once(encoder: PreTrainedModel, names: Sequence[str]) -> list[Sequence[str]]:
    """All corpora, or one by one where the encoder must be told the language of each."""
    return [[name] for name in names] if needs_language(encoder) else [names]


def _majority(inputs: RunInputs, gold: Sequence[Sentence]) -> dict[str, float]:
    """What the source's majority baseline scores."""
    task = inputs.encoded.task
    baseline = task.majority(inputs.data.train)
    return task.score(gold, [baseline(sentence) for sentence in gold])


def _scores(
    inputs: RunInputs,
    found: Mapping[str, Predictions],
    majority: Mapping[str, Mapping[str, float]],
) -> list[Row]:
    """Score what was predicted for each corpus, beside the source's majority baseline."""
    rows: list[Row] = []
    task = inputs.encoded.task
    for name, sentences in inputs.tests.items():
        corpus, predictions = parse_corpus(name), found[name]
        scores = task.score(sentences, predictions.sentences)
        rows += [
            {
                "corpus": name,
                "split": "test",
                "language": corpus.language,
                "relation": relation_between(parse_corpus(inputs.source), corpus),
                "metric": metric,
                "score": scores[metric],
                "majority": majority[name][metric],
                "sentences": len(sentences),
                "words": sum(map(len, sentences)),
                "windowed": predictions.split_sentences,
                "cut": predictions.truncated_words,
                "unknown": predictions.unknown_words,
            }
            for metric in task.metrics
        ]
    return rows


def _examples(inputs: RunInputs, found: Mapping[str, Predictions]) -> list[Row]:
    """One predicted sentence of each corpus, for people to look at."""
    shown = {
        name: example_prediction(inputs.encoded.task, sentences, found[name].sentences)
        for name, sentences in inputs.tests.items()
    }
    return [{"corpus": name, **row} for name, row in shown.items() if row is not None]


def _similarity(run: RunSpec, encoder: PreTrainedModel, inputs: RunInputs) -> list[Row]:
    """Compare parallel corpora, if the run asks for it, inside the model and before it was one."""
    if run.similarity is None:
        return []
    tokenizer, places = inputs.encoded.tokenizer, inputs.paths

    def pretrained() -> RepresentationExtractor:
        return make_extractor(load_pretrained(run), tokenizer, default_cache(places))

    return run_similarity(
        run,
        pretrained,
        RepresentationExtractor(encoder, tokenizer, RepresentationCache(None)),
        places,
    )
