"""Invented sentences that a tiny encoder can learn, and models to learn them."""

import random
from collections.abc import Sequence
from pathlib import Path

import torch

from alignscope.config.run import TrainingConfig
from alignscope.data.sentence import Sentence
from alignscope.encoders.load import load_model, load_tokenizer, set_language
from alignscope.encoders.tokenization import WordTokenizer
from alignscope.tasks import TASKS
from alignscope.training.encoded_task import EncodedTask
from alignscope.training.model import TaskModel, build_model

LEXICON = {
    "dog": ("NOUN", "nsubj", "O"),
    "cat": ("NOUN", "obj", "O"),
    "ada": ("PROPN", "nsubj", "B-PER"),
    "rome": ("PROPN", "obl", "B-LOC"),
    "barks": ("VERB", "root", "O"),
    "sees": ("VERB", "root", "O"),
    "a": ("DET", "det", "O"),
    "the": ("DET", "det", "O"),
    ".": ("PUNCT", "punct", "O"),
}
CPU = torch.device("cpu")


def sentence(words: Sequence[str], number: int = 1) -> Sentence:
    """Annotate words of the lexicon; the head of each word is the word before it."""
    upos, relations, entities = zip(*(LEXICON[word] for word in words), strict=True)
    return Sentence(
        words=tuple(words),
        id=f"toy-{number}",
        upos=upos,
        heads=tuple(range(len(words))),
        relations=("root", *(name.replace("root", "conj") for name in relations[1:])),
        entities=entities,
        label="travel" if "rome" in words else "home",
    )


def sentences(count: int, seed: int = 1, most: int = 9) -> list[Sentence]:
    """Draw sentences of 2 to ``most`` words, each with an entity."""
    draw = random.Random(seed)
    return [
        sentence(["ada", *draw.choices(list(LEXICON), k=draw.randint(1, most - 1))], number)
        for number in range(1, count + 1)
    ]


def model(folder: Path, task: str, gold: Sequence[Sentence], seed: int = 1) -> TaskModel:
    """Put a new head of a task on the encoder in a folder; X-MOD uses its English adapters."""
    encoder = load_model(str(folder))
    set_language(encoder, "en")
    return build_model(encoder, TASKS[task], TASKS[task].labels(gold), seed)


def subwords(folder: Path, max_length: int = 64) -> WordTokenizer:
    """Load the tokenizer of the encoder in a folder."""
    return WordTokenizer(load_tokenizer(str(folder)), max_length)


def encoded_task(
    folder: Path, task: str, gold: Sequence[Sentence], max_length: int = 64, **options: object
) -> EncodedTask:
    """Return a task with the labels of ``gold`` and the tokenizer of the encoder in a folder."""
    labels = TASKS[task].labels(gold)
    return EncodedTask(TASKS[task], labels, subwords(folder, max_length), training(**options))


def training(**options: object) -> TrainingConfig:
    """Return a configuration with one epoch and small batches by default."""
    return TrainingConfig.model_validate(
        {"epochs": 1, "learning_rate": 5e-5, "tokens_per_batch": 128, "max_length": 64} | options
    )
