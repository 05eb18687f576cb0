"""Executing runs: one, or a group that is trained as one stacked model."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from threading import Lock

from transformers import PreTrainedModel

from alignscope._util.seeding import derive_seed
from alignscope.config.run import RunSpec
from alignscope.data.paths import DataPaths
from alignscope.encoders.device import device
from alignscope.errors import (
    AlignScopeError,
    InsufficientMemoryError,
    SimilarityError,
    StackingError,
)
from alignscope.experiments.cost import StepTimer, count_work
from alignscope.experiments.evaluation import EpochEvaluator, Evaluation
from alignscope.experiments.progress import RunProgress, SilentProgress
from alignscope.experiments.provenance import ResourceUse, Stopwatch, provenance
from alignscope.experiments.setup import (
    RunInputs,
    build_stack,
    estimate_memory,
    frozen_window,
    load_ablated_encoder,
    load_inputs,
    load_pretrained,
    max_stack_size,
)
from alignscope.experiments.strength import measure_strengths
from alignscope.results.store import Row, RunFailure, RunOutcome, RunResult
from alignscope.similarity.block_changes import ComparedEncoders
from alignscope.similarity.cache import RepresentationCache
from alignscope.similarity.extractor import RepresentationExtractor, default_cache, make_extractor
from alignscope.similarity.reading import as_read
from alignscope.similarity.stages import compare_states, compare_with_noise, load_parallel
from alignscope.training.finetune import Observer, fine_tune_stacked
from alignscope.training.frozen import FrozenWeights
from alignscope.training.memory import PeakMemory, is_out_of_memory, release_memory

SILENT = SilentProgress()
_executing = Lock()


def execute_run(run: RunSpec, paths: DataPaths, progress: RunProgress = SILENT) -> RunResult:
    """Fine-tune one encoder on one source, and evaluate it on every corpus of the run.

    The function reads corpora and weights and writes nothing. On one machine the same
    specification always gives the same tables.

    Args:
        run: the specification.
        paths: folders with corpora.
        progress: callbacks for phases and training steps.

    Raises:
        DataError, EncoderError: if a corpus or the encoder is not what the run needs.
        SimilarityError: if the representations of parallel sentences cannot be compared.
        DivergedError: if the loss or the gradient is not finite.
        InsufficientMemoryError: if the run does not fit in memory.
    """
    (outcome,) = _execute([run], paths, progress)
    if isinstance(outcome, AlignScopeError):
        raise outcome
    return outcome


def execute_runs(
    group: Sequence[RunSpec], paths: DataPaths, progress: RunProgress = SILENT
) -> Iterator[RunOutcome]:
    """Execute runs that differ in their windows alone, as many at a time as fit in memory.

    The runs of one stack end together, and their outcomes are yielded before the next stack
    starts. Each run gives what it gives alone, except for rounding and, on a GPU, for the dropout
    masks (`SharedDropout`). A run that diverges or whose representations cannot be compared
    becomes a failure; the others continue.

    Args:
        group: the specifications.
        paths: folders with corpora.
        progress: callbacks for phases and training steps.

    Yields:
        The outcome of every run, in the order of ``group``.

    Raises:
        DataError, EncoderError: as `execute_run` does.
        InsufficientMemoryError: if one run does not fit in memory on its own.
    """
    for run, outcome in zip(group, _execute(group, paths, progress), strict=True):
        yield outcome if isinstance(outcome, RunResult) else RunFailure(run, str(outcome))


def _execute(
    group: Sequence[RunSpec], paths: DataPaths, progress: RunProgress
) -> Iterator[RunResult | AlignScopeError]:
    """Execute a group in chunks that fit in memory; a chunk that does not is halved."""
    progress.phase("loading")
    with alone_in_process():
        peak, first = PeakMemory(device()), [load_ablated_encoder(group[0])]
        inputs = load_inputs(group[0], first[0], paths)
        size, done = max_stack_size(group, first[0], inputs), 0
    while done < len(group):
        chunk, outcomes = group[done : done + size], list[RunResult | AlignScopeError]()
        try:
            with alone_in_process():
                outcomes = execute_stack(chunk, first, inputs, progress, peak)
        except StackingError:
            size = 1  # when runs were grouped, only two of them were tried
        except RuntimeError as error:
            size = _smaller(size, chunk[0], error)
        first.clear()  # it has been trained, also if the chunk failed
        release_memory()
        done += len(outcomes)
        yield from outcomes
        peak = PeakMemory(device())


@contextmanager
def alone_in_process() -> Iterator[None]:
    """Refuse a second group in this process, because both would draw from one random generator."""
    if not _executing.acquire(blocking=False):
        raise AlignScopeError(
            "Another thread of this process executes runs, and both would draw from one random "
            "generator. Execute one group of runs at a time in each process, for example with "
            "`ProcessExecutor`."
        )
    try:
        yield
    finally:
        _executing.release()


def _smaller(size: int, run: RunSpec, error: RuntimeError) -> int:
    """Return half the size of a stack that ran out of memory, or raise."""
    if not is_out_of_memory(error):
        raise error
    if size == 1:
        raise InsufficientMemoryError(run.label) from error
    return -(-size // 2)


def execute_stack(
    group: Sequence[RunSpec],
    first: Sequence[PreTrainedModel],
    inputs: RunInputs,
    progress: RunProgress,
    peak: PeakMemory,
) -> list[RunResult | AlignScopeError]:
    """Train the encoders of runs as one stack, then evaluate and compare each of them.

    Args:
        group: the specifications.
        first: the ablated encoder of the first run, or nothing if it is not loaded yet.
        inputs: the inputs that the runs share.
        progress: callbacks for phases and training steps.
        peak: the peak memory since before any encoder was loaded.

    Returns:
        The result of every run, or the error that ended it.
    """
    watch = Stopwatch(len(group))
    stack = build_stack(group, inputs.encoded.labels, next(iter(first), None))
    estimated_memory = len(stack) * estimate_memory(stack.members[0], inputs).total
    timer = StepTimer(count_work(inputs), progress.step)

    evaluator = EpochEvaluator(stack, inputs, progress)

    def after_epoch(members: Sequence[int]) -> None:
        watch.lap("training")
        with timer.paused():
            evaluator.evaluate(members)
        watch.lap("evaluation")

    strengths = measure_strengths(group, stack, inputs)
    progress.phase("training")
    observer = Observer(timer, after_epoch)
    frozen = FrozenWeights((member.encoder for member in stack.members), frozen_window(group[0]))
    histories = fine_tune_stacked(
        stack, inputs.encoded, inputs.data, seed=inputs.seed, observer=observer
    )
    frozen.verify()
    watch.lap("training")

    progress.phase("comparing representations")
    use = ResourceUse(watch, timer.seconds, estimated_memory, peak.bytes())
    outcomes = list[RunResult | AlignScopeError]()
    for member, (run, history) in enumerate(zip(group, histories, strict=True)):
        if history.error is not None:
            outcomes.append(history.error)
            continue
        epochs, evaluation = evaluator.epoch_rows(member, history), evaluator.best(member, history)
        encoder, strength = stack.members[member].encoder, strengths[member]
        finished = _Finished(run, encoder, epochs, evaluation, strength)
        outcomes.append(finished.outcome(inputs, use))
    return outcomes


class _Finished:
    """A fine-tuned and evaluated run, whose representations are still to be compared."""

    def __init__(
        self,
        run: RunSpec,
        encoder: PreTrainedModel,
        epochs: list[Row],
        evaluation: Evaluation,
        strength: Row | None,
    ) -> None:
        self.run, self.encoder, self.strength = run, encoder, strength
        self.epochs, self.evaluation = epochs, evaluation

    def outcome(self, inputs: RunInputs, use: ResourceUse) -> RunResult | AlignScopeError:
        try:
            similarity, changes = self._similarity(inputs)
        except SimilarityError as error:
            use.watch.laps_of_one("similarity")  # so that the next run does not pay for this one
            return error
        return RunResult(
            self.run,
            self.evaluation.scores,
            self.epochs,
            provenance(self.run, self.encoder, inputs.paths, use, self.strength),
            similarity,
            self.evaluation.examples,
            self.evaluation.counts,
            changes,
        )

    def _similarity(self, inputs: RunInputs) -> tuple[list[Row], list[Row]]:
        """Compare parallel corpora inside the fine-tuned and the pretrained encoder.

        Returns:
            The rows of similarity, and those of the changes of blocks, which only REF has.
        """
        run, config, tokenizer = self.run, self.run.similarity, inputs.encoded.tokenizer
        if config is None:
            return [], []

        @cache
        def pretrained() -> RepresentationExtractor:
            return make_extractor(load_pretrained(run), tokenizer, default_cache(inputs.paths))

        corpora, is_reference = load_parallel(config, run.source, inputs.paths), run.window is None
        fine_tuned = RepresentationExtractor(self.encoder, tokenizer, RepresentationCache(None))
        rows = compare_states(config, corpora, fine_tuned, pretrained, is_reference=is_reference)
        if not (is_reference and config.drift):
            return rows, []
        encoders = ComparedEncoders.of(pretrained(), fine_tuned, derive_seed(run.seed, "noise"))
        rows += compare_with_noise(config, corpora, encoders)
        texts = {name: as_read(of_corpus, config) for name, of_corpus in corpora.items()}
        return rows, encoders.block_changes(texts)
