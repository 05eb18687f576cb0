"""The description of fine-tuning in the Methods section."""

import math
from collections.abc import Iterable, Sequence

from alignscope.config.run import RunSpec
from alignscope.config.schedule import SCHEDULES


def describe_training(runs: Sequence[RunSpec]) -> str:
    """Return a clause on the hyperparameters of the runs of one encoder, task and source.

    Settings may differ between the runs; all other hyperparameters are those of the first run.
    """
    training = runs[0].training
    epochs = _either(run.training.epochs for run in runs)
    rates = _either(run.training.learning_rate for run in runs)
    head_rates = _either(run.training.head_learning_rate for run in runs)
    word = "the mean of its subwords" if training.pooling == "mean" else "its first subword"
    if training.words == "surface":
        word += " (multiword tokens read as written, their subwords shared out to their words)"
    return (
        f"{epochs} {'epoch' if epochs == '1' else 'epochs'} of AdamW{_limits(runs)}, learning rate "
        f"{rates} for the encoder and {head_rates} for the head{_combinations(runs)}, linear "
        f"warm-up over {100 * training.warmup:g} % of the steps and "
        f"{SCHEDULES[training.schedule].decay}, "
        f"weight decay {training.weight_decay:g} (0 for biases and other vectors), gradient norm "
        f"clipped at {training.max_grad_norm:g}, batches of {training.tokens_per_batch} subwords, "
        f"inputs of at most {training.max_length} subwords, each word represented by {word}"
    )


def _either(values: Iterable[float | None]) -> str:
    """Return the different values in ascending order.

    >>> _either([5e-4, 5e-5, 5e-4]), _either([None, 500, 2000])
    ('5e-05 or 0.0005', '500, 2000 or all')
    """
    ordered = sorted({*values}, key=lambda value: math.inf if value is None else value)
    texts = ["all" if value is None else f"{value:g}" for value in ordered]
    return " or ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))


def _limits(runs: Sequence[RunSpec]) -> str:
    limits = [run.limits.model_dump() for run in runs]
    parts = [
        f"{_either(limit[split] for limit in limits)} {split}"
        for split in limits[0]
        if any(limit[split] is not None for limit in limits)
    ]
    if not parts:
        return ""
    listed = " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
    return f", on at most {listed} sentences"


def _combinations(runs: Sequence[RunSpec]) -> str:
    """Return how many settings there are, and whether they are all combinations of the values."""
    settings = {run.setting for run in runs}
    if len(settings) == 1:
        return ""
    axes = [text.split(", ") for text in settings]
    product = math.prod(len({*values}) for values in zip(*axes, strict=True))
    every = ": every combination" if product == len(settings) else ""
    return f" ({len(settings)} settings{every})"
