"""One run from start to finish: the table of contents of a study."""

from collections.abc import Mapping, Sequence

from transformers import PreTrainedModel

from alignscope.config.run import Run
from alignscope.data.corpus import parse_corpus, relation_between
from alignscope.data.paths import Places
from alignscope.data.sentence import Sentence
from alignscope.encoders.device import device
from alignscope.encoders.load import speak, speaks
from alignscope.errors import (
    AlignScopeError,
    DivergedError,
    MemoryShortError,
    SimilarityError,
    StackError,
)
from alignscope.experiments.cost import Meter, size_of
from alignscope.experiments.provenance import Cost, Stopwatch, provenance
from alignscope.experiments.setup import (
    Setting,
    encoder_of,
    fitting,
    footprint_of,
    pretrained_of,
    setting_of,
    stack_of,
)
from alignscope.results.store import Failure, Outcome, Result, Row
from alignscope.similarity.cache import Cache
from alignscope.similarity.compare import cache_in, reader_with
from alignscope.similarity.extractor import Reader
from alignscope.similarity.stages import similarity_of_run
from alignscope.tasks import TASKS
from alignscope.training.finetune import Progress, Source, fine_tune_together
from alignscope.training.loop import Course
from alignscope.training.memory import Peak, free_memory, out_of_memory
from alignscope.training.predict import Predictions, example, predict_together
from alignscope.training.stacked.stack import Stack

Ended = Outcome | DivergedError | SimilarityError
"""How a run ended."""


def perform(run: Run, places: Places, progress: Progress = lambda step, steps: None) -> Outcome:
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


def perform_together(
    group: Sequence[Run], places: Places, progress: Progress = lambda step, steps: None
) -> list[Result]:
    """Perform runs that differ in their windows alone, in lockstep: each gives what it gives alone.

    But for rounding, that is, and on a GPU for what dropout draws (`one_mask.OneMask`).

    A run that diverges, or whose encoder cannot be compared, fails by itself.

    Raises:
        DataError, EncoderError: as `perform` does.
        MemoryShortError: if there is not enough memory for one run.
    """
    return [
        ended if isinstance(ended, Outcome) else Failure(run, str(ended))
        for run, ended in zip(group, _perform(group, places, progress), strict=True)
    ]


def _perform(group: Sequence[Run], places: Places, progress: Progress) -> list[Ended]:
    """Perform as many runs at a time as there is memory for."""
    peak, encoder = Peak(device()), encoder_of(group[0])
    setting = setting_of(group[0], encoder, places)
    size, ended = fitting(group, encoder, setting), list[Ended]()
    first: PreTrainedModel | None = encoder
    del encoder
    while len(ended) < len(group):
        part = group[len(ended) : len(ended) + size]
        try:
            ended += _in_lockstep(part, first, setting, progress, peak)
        except StackError:
            size = 1  # the sweep tried only two of them
        except RuntimeError as error:
            if not out_of_memory(error):
                raise
            if size == 1:
                raise MemoryShortError(part[0].label) from error
            size = -(-size // 2)
        first = None  # it has been trained
        free_memory()
        peak = Peak(device())
    return ended


def _in_lockstep(
    group: Sequence[Run],
    first: PreTrainedModel | None,
    setting: Setting,
    progress: Progress,
    peak: Peak,
) -> list[Ended]:
    """Train, evaluate and compare the encoders of runs; ``peak`` was made before any was loaded."""
    run, task, source, subwords = group[0], setting.task, setting.source, setting.subwords
    watch = Stopwatch(len(group))
    stack = stack_of(group, source.labels, first)
    needed = len(stack) * footprint_of(run, stack.members[0], setting).total

    meter = Meter(size_of(source, setting.gold, subwords, run.training), progress)
    courses = fine_tune_together(
        stack, task, source, subwords, run.training, seed=run.seed, progress=meter
    )
    watch.lap("training")

    alive = [number for number, course in enumerate(courses) if isinstance(course, list)]
    evaluated = _evaluate(run, stack, alive, setting)
    watch.lap("evaluation")
    cost = Cost(meter.seconds, needed, peak.bytes())

    def ended(number: int, course: Course) -> Ended:
        if isinstance(course, DivergedError):
            return course
        run, encoder = group[number], stack.members[number].encoder
        scores, examples = evaluated[number]
        try:
            similarity = _similarity(run, encoder, setting)
        except SimilarityError as error:
            watch.laps_of_one("similarity")
            return error
        epochs = [vars(epoch) for epoch in course]
        told = provenance(run, encoder, setting.places, watch, cost)
        return Outcome(run, scores, epochs, told, similarity, examples)

    return [ended(number, course) for number, course in enumerate(courses)]


def _evaluate(
    run: Run, stack: Stack, members: Sequence[int], setting: Setting
) -> dict[int, tuple[list[Row], list[Row]]]:
    """Predict the test split of every corpus; by model its scores, and sentences to look at."""
    if not members:
        return {}
    source, gold = setting.source, setting.gold
    majority = {name: _majority(run, source, sentences) for name, sentences in gold.items()}
    found = {member: dict[str, Predictions]() for member in members}
    for names in _read_at_once(stack.encoder, run.evaluated):
        speak(stack.encoder, parse_corpus(names[0]).language)
        corpora = {name: gold[name] for name in names}
        predicted = predict_together(
            stack, members, setting.task, source.labels, corpora, setting.subwords, run.training
        )
        for member, by_corpus in zip(members, predicted, strict=True):
            found[member] |= by_corpus
    return {
        member: (_scores(run, gold, by_corpus, majority), _examples(run, gold, by_corpus))
        for member, by_corpus in found.items()
    }


def _read_at_once(encoder: PreTrainedModel, names: Sequence[str]) -> list[Sequence[str]]:
    """All corpora, or one by one where the encoder must be told the language of each."""
    return [[name] for name in names] if speaks(encoder) else [names]


def _majority(run: Run, source: Source, gold: Sequence[Sentence]) -> dict[str, float]:
    """What the source's majority baseline scores."""
    baseline = TASKS[run.task].majority(source.train)
    return TASKS[run.task].score(gold, [baseline(sentence) for sentence in gold])


def _scores(
    run: Run,
    gold: Mapping[str, Sequence[Sentence]],
    found: Mapping[str, Predictions],
    majority: Mapping[str, Mapping[str, float]],
) -> list[Row]:
    """Score what was predicted for each corpus, beside the source's majority baseline."""
    rows: list[Row] = []
    for name, sentences in gold.items():
        corpus, predictions = parse_corpus(name), found[name]
        scores = TASKS[run.task].score(sentences, predictions.sentences)
        rows += [
            {
                "corpus": name,
                "split": "test",
                "language": corpus.language,
                "relation": relation_between(parse_corpus(run.source), corpus),
                "metric": metric,
                "score": scores[metric],
                "majority": majority[name][metric],
                "sentences": len(sentences),
                "words": sum(map(len, sentences)),
                "windowed": predictions.windowed,
                "cut": predictions.cut,
                "unknown": predictions.unknown,
            }
            for metric in TASKS[run.task].metrics
        ]
    return rows


def _examples(
    run: Run, gold: Mapping[str, Sequence[Sentence]], found: Mapping[str, Predictions]
) -> list[Row]:
    """One predicted sentence of each corpus, for people to look at."""
    shown = {
        name: example(TASKS[run.task], sentences, found[name].sentences)
        for name, sentences in gold.items()
    }
    return [{"corpus": name, **row} for name, row in shown.items() if row is not None]


def _similarity(run: Run, encoder: PreTrainedModel, setting: Setting) -> list[Row]:
    """Compare parallel corpora, if the run asks for it, inside the model and before it was one."""
    if run.similarity is None:
        return []
    subwords, places = setting.subwords, setting.places

    def pretrained() -> Reader:
        return reader_with(pretrained_of(run), subwords, cache_in(places))

    return similarity_of_run(run, pretrained, Reader(encoder, subwords, Cache(None)), places)
