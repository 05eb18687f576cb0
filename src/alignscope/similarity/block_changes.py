"""How much fine-tuning changes each block: its weights, and its output on the same input.

The similarity of a layer before and after fine-tuning (drift) accumulates: a layer also differs
because the blocks below it do. Here every fine-tuned block gets the input that the pretrained block
gets, so that it is judged alone. Beside it stands a copy of the pretrained encoder whose blocks
have noise of the same size: what is no larger than its change is no finding about training.
"""

import copy
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from alignscope.data.corpora import subsample_evenly
from alignscope.encoders.batching import Batch, EncodedSentence, bucket_by_length, collate
from alignscope.encoders.blocks import blocks
from alignscope.encoders.tokenization import Text, WordTokenizer
from alignscope.errors import SimilarityError
from alignscope.similarity.extractor import RepresentationExtractor
from alignscope.similarity.layers import Row
from alignscope.similarity.representations import best_batch, evaluating

MAX_SENTENCES = 32
"""The largest number of sentences of a corpus on which outputs of blocks are compared. The mean
over their tokens has a standard error of about one percent of its value; more sentences would take
longer than the rest of the similarity."""


def weight_change(before: nn.Module, after: nn.Module) -> float:
    """Return the relative change of weights: the norm of the change over the norm of the weights.

    >>> before, after = nn.Linear(1, 1), nn.Linear(1, 1)
    >>> _ = before.requires_grad_(False).weight.fill_(3), before.bias.fill_(4)
    >>> _ = after.requires_grad_(False).weight.fill_(3), after.bias.fill_(4.5)
    >>> weight_change(before, after)
    0.1

    Args:
        before: a block.
        after: the same block with other weights.
    """
    return _relative_change([before], [after])


def _relative_change(before: Iterable[nn.Module], after: Iterable[nn.Module]) -> float:
    change = size = 0.0
    for old_block, new_block in zip(before, after, strict=True):
        for old, new in zip(old_block.parameters(), new_block.parameters(), strict=True):
            first, second = old.detach().double(), new.detach().double()
            change += float((second - first).square().sum())
            size += float(first.square().sum())
    return math.sqrt(change / size)


def add_noise(encoder: PreTrainedModel, size: float, seed: int) -> PreTrainedModel:
    """Return a copy of an encoder with Gaussian noise in every tensor of every block.

    All tensors change by the same relative size, so that every block does, and all blocks together.
    The copy shares the weights outside of the blocks with the original.

    Args:
        encoder: the encoder, which stays as it is.
        size: the norm of the noise in a tensor over the norm of the tensor.
        seed: seeds the noise.
    """
    inside = {id(value) for block in blocks(encoder) for value in block.parameters()}
    shared = {id(value): value for value in encoder.parameters() if id(value) not in inside}
    noisy = copy.deepcopy(encoder, shared)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for block in blocks(noisy):
            for value in block.parameters():
                noise = torch.randn(value.shape, generator=generator).to(value.device)
                value.add_(noise * (size * value.norm() / noise.norm()))
    return noisy


@dataclass(frozen=True)
class ComparedEncoders:
    """A pretrained encoder, the same after fine-tuning, and a copy with noise of equal size."""

    pretrained: RepresentationExtractor
    fine_tuned: RepresentationExtractor
    noise: RepresentationExtractor

    @classmethod
    def of(
        cls, pretrained: RepresentationExtractor, fine_tuned: RepresentationExtractor, seed: int
    ) -> "ComparedEncoders":
        """Add the copy with noise, whose blocks change as much as those of fine-tuning together.

        Args:
            pretrained: the pretrained encoder.
            fine_tuned: the fine-tuned encoder.
            seed: seeds the noise.
        """
        before, after = blocks(pretrained.encoder), blocks(fine_tuned.encoder)
        noisy = add_noise(pretrained.encoder, _relative_change(before, after), seed)
        noise = RepresentationExtractor(noisy, fine_tuned.tokenizer, fine_tuned.cache)
        return cls(pretrained, fine_tuned, noise)

    def block_changes(self, corpora: Mapping[str, Sequence[Text]]) -> list[Row]:
        """Return how much each block changes on the sentences of each corpus.

        At most `MAX_SENTENCES` sentences are read, spread evenly over the corpus.

        Args:
            corpora: sentences or running text by the name of their corpus.

        Returns:
            Rows of the table ``changes``, from the column ``corpus`` on.
        """
        before, *others = (
            blocks(one.encoder) for one in (self.pretrained, self.fine_tuned, self.noise)
        )
        weights = [
            {
                "weight_change": weight_change(old, new),
                "noise_weight_change": weight_change(old, noisy),
            }
            for old, new, noisy in zip(before, *others, strict=True)
        ]
        rows: list[Row] = []
        for name, sentences in corpora.items():
            sample = subsample_evenly(sentences, MAX_SENTENCES)
            with self.pretrained.language_of(name):
                changes, tokens = output_changes(
                    self.pretrained.encoder, others, self.pretrained.tokenizer, sample
                )
            rows += [
                {
                    "corpus": name,
                    "block": number,
                    **weights[number],
                    "output_change": fine_tuned,
                    "noise_output_change": noise,
                    "sentences": len(sample),
                    "tokens": tokens,
                }
                for number, (fine_tuned, noise) in enumerate(changes.T.tolist())
            ]
        return rows


@torch.inference_mode()
def output_changes(
    encoder: PreTrainedModel,
    others: Sequence[nn.ModuleList],
    tokenizer: WordTokenizer,
    sentences: Sequence[Text],
) -> tuple[Tensor, int]:
    """Return the relative change of the output of other blocks that get an encoder's own inputs.

    Every block of the encoder passes all of its arguments to its counterparts. A change is
    |f(x) − f₀(x)| / |f₀(x)| for the outputs at one token, and the mean is over the subwords of
    words: special tokens and padding do not count. Nothing is computed in half precision, whose
    rounding would exceed small changes.

    Args:
        encoder: the encoder that reads the sentences.
        others: lists of blocks, each as long as that of the encoder.
        tokenizer: the tokenizer of the encoder.
        sentences: sentences or running text.

    Returns:
        The changes (lists of blocks, blocks), and the number of tokens.

    Raises:
        SimilarityError: if a block returns something else than a vector for each subword.
    """
    watched = _Watched(encoder, others)
    split = tokenizer.split(sentences)
    examples = [EncodedSentence(sentence, {}) for sentence in split]
    with ExitStack() as stack:
        stack.enter_context(evaluating(encoder))
        stack.enter_context(_without_cache(encoder))
        stack.enter_context(watched.watching())
        for group in bucket_by_length([one.cost for one in examples], best_batch(encoder)):
            batch = collate([examples[i] for i in group], tokenizer.pad, "mean")
            watched.read(batch.to(encoder.device))
    return watched.totals / watched.tokens, watched.tokens


class _Watched:
    """An encoder whose blocks call their counterparts, and the sums of changes so far."""

    def __init__(self, encoder: PreTrainedModel, others: Sequence[nn.ModuleList]) -> None:
        self.encoder, self.others = encoder, others
        self.totals = torch.zeros(len(others), len(blocks(encoder)), dtype=torch.float64)
        self.tokens = 0
        self._batch: Batch | None = None

    def read(self, batch: Batch) -> None:
        """Read a batch, in which every block calls its counterparts."""
        self._batch = batch
        self.tokens += len(batch.subword_index)
        self.encoder(input_ids=batch.ids, attention_mask=batch.attention_mask)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch the blocks of the encoder; their counterparts are in evaluation mode meanwhile."""
        counterparts = [block for several in self.others for block in several]
        modes = [(part, part.training) for block in counterparts for part in block.modules()]
        for block in counterparts:
            block.eval()
        hooks = [
            block.register_forward_hook(self._hook(number), with_kwargs=True)
            for number, block in enumerate(blocks(self.encoder))
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
            for part, training in modes:
                part.training = training

    def _hook(self, number: int) -> Any:
        def compare(module: nn.Module, args: Any, kwargs: dict[str, Any], output: Any) -> None:
            expected = self._vectors(output)
            size = expected.norm(dim=-1)
            for row, counterparts in enumerate(self.others):
                changed = self._vectors(counterparts[number](*args, **kwargs))
                relative = (changed - expected).norm(dim=-1) / size
                self.totals[row, number] += relative.double().sum().cpu()

        return compare

    def _vectors(self, output: Any) -> Tensor:
        """Return the output of a block at the subwords of words, (tokens, hidden)."""
        batch = self._batch
        assert batch is not None  # read sets it before the encoder runs
        hidden = output if isinstance(output, Tensor) else output[0]
        if hidden.shape[:-1] != batch.ids.shape:
            raise SimilarityError(
                f"A block of {type(self.encoder).__name__} returns a tensor of the shape "
                f"{tuple(hidden.shape)} for {tuple(batch.ids.shape)} subwords, so its change "
                "cannot be measured. Set `drift = false` in [similarity]."
            )
        vectors: Tensor = hidden.flatten(0, 1)[batch.subword_index].float()
        return vectors


@contextmanager
def _without_cache(encoder: PreTrainedModel) -> Iterator[None]:
    """Let decoders keep no keys and values, which a second call of a block would add to."""
    config = encoder.config
    before = getattr(config, "use_cache", None)
    if before:
        config.use_cache = False
    try:
        yield
    finally:
        if before:
            config.use_cache = before
