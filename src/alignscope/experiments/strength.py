"""How hard the windows of runs were hit: the strength of their blocks before and after."""

from collections.abc import Sequence
from typing import Any

from alignscope.config.run import RunSpec
from alignscope.config.windows import Window
from alignscope.data.corpus import parse_corpus
from alignscope.encoders.device import device
from alignscope.encoders.load import set_language
from alignscope.encoders.strength import BlockStrengths, block_strengths
from alignscope.experiments.setup import RunInputs, load_pretrained
from alignscope.training.stacked.stack import StackedModel


def measure_strengths(
    group: Sequence[RunSpec], stack: StackedModel, inputs: RunInputs
) -> list[dict[str, Any] | None]:
    """Measure how much each block of a window changes its input, on sentences of the run's source.

    Args:
        group: runs of one encoder and source.
        stack: their models before any training.
        inputs: the inputs that the runs share; the first dev sentences are read.

    Returns:
        By run, what its provenance keeps: ``before`` for the pretrained block and ``after`` for the
        block that fine-tuning starts from. None for REF.
    """
    if all(run.window is None for run in group):
        return [None] * len(group)
    pretrained = load_pretrained(group[0]).to(device())
    set_language(pretrained, parse_corpus(group[0].source).language)
    tokenizer, sentences = inputs.encoded.tokenizer, inputs.data.dev
    before = block_strengths(pretrained, tokenizer, sentences)
    return [
        None
        if run.window is None
        else _strengths_of_window(
            Window.parse(run.window),
            before,
            block_strengths(member.encoder, tokenizer, sentences),
        )
        for run, member in zip(group, stack.members, strict=True)
    ]


def _strengths_of_window(
    window: Window, before: BlockStrengths, after: BlockStrengths
) -> dict[str, Any]:
    return {
        "sentences": after.sentences,
        "tokens": after.tokens,
        "blocks": [
            {
                "block": block,
                "before": round(before.blocks[block], 6),
                "after": round(after.blocks[block], 6),
            }
            for block in window.blocks
        ],
    }
