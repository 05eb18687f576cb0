"""Invalid input on the command line: one line of error, exit code 2, no files written."""

import gzip
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AlbertConfig, AlbertModel, PreTrainedTokenizerFast

from tests.helpers import tiny
from tests.helpers.tiny import Answer, Workshop

TRAIN = "ud/en_tiny/train.conllu"
TEST = "ud/de_tiny/test.conllu"
Edit = Callable[[Workshop], object]


@pytest.fixture
def own(workshop: Workshop) -> Workshop:
    """Data and an encoder of one's own, to break."""
    data = shutil.copytree(workshop.data, workshop.folder / "data")
    encoder = shutil.copytree(workshop.encoder, workshop.folder / "bert")
    return Workshop(workshop.folder, data, encoder)


@pytest.fixture(autouse=True)
def _no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)


def refused(answer: Answer, message: str) -> None:
    """One sentence, and the code of a mistake."""
    assert re.fullmatch(r"error: [^\n]+\n", answer.err), answer.err
    assert re.search(message, answer.err), answer.err
    assert "Traceback" not in answer.err
    assert (answer.code, answer.out) == (2, "")


def edit(file: str, change: Callable[[list[str]], list[str]]) -> Edit:
    """Rewrite the lines of a file of the data folder."""

    def apply(own: Workshop) -> None:
        path = own.data / file
        lines = change(path.read_text(encoding="utf-8").split("\n"))
        path.write_text("\n".join(lines), encoding="utf-8")

    return apply


def column(index: int, *values: str, file: str = TRAIN) -> Edit:
    """Put values into one column, from the first line on."""

    def change(lines: list[str]) -> list[str]:
        rows = [line.split("\t") for line in lines]
        for row, value in zip(rows, values, strict=False):
            row[index] = value
        return ["\t".join(row) for row in rows]

    return edit(file, change)


def everywhere(index: int, value: str, file: str) -> Edit:
    """Put a value into one column of every word."""

    def change(lines: list[str]) -> list[str]:
        rows = [line.split("\t") for line in lines]
        return [
            "\t".join([*row[:index], value, *row[index + 1 :]]) if row[1:] else "" for row in rows
        ]

    return edit(file, change)


def truncated_gzip(own: Workshop) -> None:
    path = own.data / TRAIN
    content = gzip.compress(path.read_bytes())
    path.with_suffix(".conllu.gz").write_bytes(content[: len(content) // 2])
    path.unlink()


CORPORA: dict[str, tuple[Edit, str]] = {
    "truncated gzip": (truncated_gzip, r"train\.conllu\.gz: This gzip file is truncated"),
    "cyclic heads": (
        column(6, "2", "1", "0"),
        r"train\.conllu:1: The heads of words 1 and 2 form a cycle",
    ),
    "head out of range": (column(6, "14"), r"conllu:1: Head 14 is outside the sentence, which has"),
    "9 columns": (
        edit(TRAIN, lambda lines: [lines[0].rpartition("\t")[0], *lines[1:]]),
        r"train\.conllu:1: The line has 9 columns, but CoNLL-U has 10",
    ),
    "unknown UPOS": (column(3, "NOUNS"), r"conllu:1: UPOS NOUNS is unknown; did you mean 'NOUN'\?"),
    "empty FORM": (column(1, ""), r"train\.conllu:1: FORM is empty"),
    "empty file": (
        edit(TRAIN, lambda lines: []),
        r"train\.conllu: The file has no sentences",
    ),
    "empty file of a target": (
        edit(TEST, lambda lines: []),
        r"de_tiny/test\.conllu: The file has no ",
    ),
    "blanked-out words": (
        everywhere(1, "_", TEST),
        r"test\.conllu:1: Every word is _\. The text was removed from this release",
    ),
    "not UTF-8": (
        lambda own: (own.data / TEST).write_bytes("1\tgrün".encode("latin-1")),
        r"test\.conllu:1: This is not UTF-8",
    ),
    "no UPOS": (everywhere(3, "_", TEST), r"ud:de_tiny/test lacks upos, which the task needs"),
    "split that does not exist": (
        lambda own: (own.data / "ud/en_tiny/dev.conllu").unlink(),
        r"ud:en_tiny has no dev split in .*, only train, test",
    ),
    "corpus that does not exist": (
        lambda own: shutil.rmtree(own.data / "ud/de_tiny"),
        r"ud:de_tiny was not found \(searched: .*data\)",
    ),
}


@pytest.mark.parametrize("case", CORPORA)
def test_invalid_corpora(case: str, own: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are read before any weights are."""
    monkeypatch.delattr("alignscope.experiments.setup.load_model")
    change, message = CORPORA[case]
    change(own)
    refused(own.run(), message)
    assert not own.store.exists()


def test_a_corpus_without_what_the_task_needs(own: Workshop) -> None:
    """Tags are enough for tagging, parsing is asked for."""
    for split in tiny.SPLITS:
        everywhere(6, "_", f"ud/en_tiny/{split}.conllu")(own)
        everywhere(7, "_", f"ud/en_tiny/{split}.conllu")(own)
    own.write(tiny.GRID.replace("tasks.pos", "tasks.parsing"))
    refused(own.run(), r"ud:en_tiny/train lacks heads, which the task needs: HEAD is _ or absent")
    assert not own.store.exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ada\tB-PERS", r"train\.tsv:1: Tag 'B-PERS' is unknown; did you mean 'B-PER'\?"),
        ("ada", r"train\.tsv:1: The line has 1 column, but needs a token and its tag"),
        ("\tO", r"train\.tsv:1: The token is empty"),
    ],
)
def test_invalid_named_entities(line: str, message: str, own: Workshop) -> None:
    edit("ner/uner/en_tiny/train.tsv", lambda lines: [line, *lines[1:]])(own)
    own.write(tiny.THREE_TASKS)
    refused(own.run(), message)
    assert not own.store.exists()


# The study

STUDIES: dict[str, tuple[str, str, str]] = {
    "misspelt key": ("seeds =", "seed =", r"tiny\.toml: seed is not a key; did you mean 'seeds'\?"),
    "misspelt key inside": (
        "{ epochs",
        "{ epoch",
        r"training\.epoch is not a key; did you mean 'ep",
    ),
    "misspelt key of a task": (
        "domains =",
        "domain =",
        r"tasks\.pos\.domain is not a key; did you mean 'domains'\?",
    ),
    "window outside the encoder": (
        '"tiles:2"',
        '"3-4"',
        r"Window 3-4 does not fit .*bert.*, which has 4 blocks \(0-3\)",
    ),
    "tiles larger than the encoder": ("tiles:2", "tiles:5", r"4 blocks cannot be cut into windows"),
    "no window": ("tiles:2", "first", r"'first' is not a window\. Write 0-1"),
    "single of something": ("tiles:2", "single:x", r"'single:x' is not a window"),
    "unknown prefix": (
        "ud:de_tiny",
        "udd:de_tiny",
        r"udd:de_tiny was not found .* The prefix udd: is unknown; did you mean 'ud'\? Known ",
    ),
    "broken TOML": ("seeds = [1, 2]", "seeds = [1, 2", r"tiny\.toml is not valid TOML: "),
    "infinite rate": ("learning_rate = 1e-3", "learning_rate = inf", r"learning_rate: .*finite"),
}


@pytest.mark.parametrize("case", STUDIES)
def test_invalid_studies(case: str, workshop: Workshop) -> None:
    old, new, message = STUDIES[case]
    assert old in tiny.GRID
    workshop.write(tiny.GRID.replace(old, new))
    refused(workshop.run(), message)
    assert not workshop.store.exists()


def test_a_missing_study(workshop: Workshop) -> None:
    workshop.study.unlink()
    refused(workshop.run(), r"There is no study file .*tiny\.toml")
    assert not workshop.store.exists()


def test_no_encoder(workshop: Workshop) -> None:
    arguments = workshop.arguments()
    refused(tiny.call(*arguments[:-2]), r"Study tiny names no encoder\. Add one with --encoder")
    assert not workshop.store.exists()


def test_a_missing_data_folder(workshop: Workshop) -> None:
    refused(workshop.run("--data", "nowhere"), r"The data folder nowhere does not exist")
    assert not workshop.store.exists()


def test_a_missing_data_folder_of_the_study(workshop: Workshop) -> None:
    workshop.write('data = ["nowhere"]\n' + tiny.GRID)
    refused(workshop.run(), r"The data folder .*nowhere does not exist")
    assert not workshop.store.exists()


# The store


def test_the_store_is_a_file(workshop: Workshop) -> None:
    workshop.store.write_text("mine")
    refused(workshop.run(), r"results is a file, not a folder for results")
    assert workshop.store.read_text() == "mine"


def test_the_store_is_inside_a_file(workshop: Workshop) -> None:
    workshop.store.write_text("mine")
    refused(
        workshop.run(store=workshop.store / "inner"), r"results is a file, not a folder for results"
    )
    assert workshop.store.read_text() == "mine"


# The encoder


def keep_only(*patterns: str) -> Edit:
    def apply(own: Workshop) -> None:
        for path in own.encoder.iterdir():
            if not any(path.match(pattern) for pattern in patterns):
                path.unlink()

    return apply


def pickled(own: Workshop) -> None:
    path = own.encoder / "model.safetensors"
    torch.save(load_file(path), own.encoder / "pytorch_model.bin")
    path.unlink()


def albert(own: Workshop) -> None:
    size = {"hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16}
    model = AlbertModel(AlbertConfig(vocab_size=500, embedding_size=8, num_hidden_layers=4, **size))
    model.save_pretrained(own.encoder)


def short_weights(own: Workshop) -> None:
    path = own.encoder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def more_blocks_than_weights(own: Workshop) -> None:
    path = own.encoder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"num_hidden_layers": 6}))


def without_unknown(own: Workshop) -> None:
    """A tokenizer that drops what it does not know, and a word that it does not know."""
    letters = {letter: index for index, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}
    backend = Tokenizer(models.BPE(letters, []))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="a").save_pretrained(own.encoder)
    column(1, "漢", file=TEST)(own)


def without_unknown_but_asked(own: Workshop) -> None:
    """A WordPiece that would use an unknown token, but has none."""
    pieces = {piece: i for i, piece in enumerate(["a", "b", "##a", "##b"])}
    backend = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="a").save_pretrained(own.encoder)


def larger_tokenizer(own: Workshop) -> None:
    path = own.encoder / "tokenizer.json"
    content = json.loads(path.read_text())
    content["model"]["vocab"] |= {f"word{i}": 1000 + i for i in range(500)}
    path.write_text(json.dumps(content))


ENCODERS: dict[str, tuple[Edit, str]] = {
    "tokenizer without encoder": (
        keep_only("*token*"),
        r"bert contains no encoder: it has no config\.json",
    ),
    "encoder without tokenizer": (
        keep_only("config.json", "*.safetensors"),
        r"bert has no tokenizer, such as a tokenizer\.json",
    ),
    "empty folder": (keep_only(), r"bert contains no encoder: it has no config\.json"),
    "no folder": (
        lambda own: shutil.rmtree(own.encoder),
        r"bert@main is neither a folder nor an encoder on the hub",
    ),
    "pickled weights only": (pickled, r"has no safetensors weights .*, only pickled ones"),
    "weights cut short": (short_weights, r"bert cannot be loaded: "),
    "weights that lack blocks": (
        more_blocks_than_weights,
        r"bert lacks \d+ weights of its encoder",
    ),
    "ALBERT": (albert, r"bert shares one block across its layers, so a window cannot be re-init"),
    "zero sub-words": (without_unknown, r"word '漢' has no subwords, and .* no"),
    "a missing unknown token": (without_unknown_but_asked, r"bert cannot split words: .*\[UNK\]"),
    "tokenizer of another encoder": (larger_tokenizer, r"They do not belong together"),
}


@pytest.mark.parametrize("case", ENCODERS)
def test_invalid_encoders(case: str, own: Workshop) -> None:
    change, message = ENCODERS[case]
    change(own)
    refused(own.run(), message)
    assert not own.store.exists()


def test_a_hub_that_cannot_be_reached(workshop: Workshop) -> None:
    """Windows that are listed can be planned without it, but not performed."""
    workshop.write(tiny.GRID.replace("tiles:2", "0-1"))
    arguments = [*workshop.arguments()[:-1], "nobody/nothing"]
    refused(tiny.call(*arguments), r"nobody/nothing is not a folder, and the hub cannot be reached")
    assert not workshop.store.exists()


def test_missing_adapters(workshop: Workshop) -> None:
    workshop.write('adapters = "keep"\n' + tiny.GRID)
    refused(workshop.run(), r"has no language adapters to keep")
    assert not workshop.store.exists()


def test_a_language_without_an_adapter(
    workshop: Workshop, encoder_folders: Callable[[str], Path]
) -> None:
    """The first source could be trained, and only the target fails: hours too late."""
    data = shutil.copytree(workshop.data, workshop.folder / "data")
    shutil.copytree(data / "ud/de_tiny", data / "ud/fr_tiny")
    workshop.write(tiny.GRID.replace("ud:de_tiny", "ud:fr_tiny"))
    own = Workshop(workshop.folder, data, encoder_folders("xmod"))
    refused(own.run(), r"fr names 0 language adapters of this encoder")
    assert not own.store.exists()


# The other commands


@pytest.mark.parametrize("command", [("status",), ("table", "scores"), ("table", "effects")])
def test_a_study_that_was_never_run(command: tuple[str, ...], workshop: Workshop) -> None:
    answer = tiny.call(*command, workshop.study, "--store", workshop.store)
    refused(answer, r"results has no results of study tiny as it is now")
    assert not workshop.store.exists()


@pytest.mark.parametrize("command", [("plan",), ("status",), ("table", "runs")])
def test_a_broken_study_for_every_command(command: tuple[str, ...], workshop: Workshop) -> None:
    workshop.write("seeds = [")
    answer = tiny.call(*command, workshop.study, "--store", workshop.store)
    refused(answer, r"tiny\.toml is not valid TOML")


def test_blocks_of_albert(own: Workshop) -> None:
    albert(own)
    refused(tiny.call("blocks", own.encoder), r"AlbertModel shares one block across its layers")


def test_blocks_of_a_missing_encoder(workshop: Workshop) -> None:
    refused(tiny.call("blocks", workshop.folder / "nowhere"), r"nowhere@main is neither a folder")


def test_a_table_cannot_be_written_into_a_missing_folder(workshop: Workshop) -> None:
    workshop.write(tiny.GRID.replace("[1, 2]", "[1]").replace("tiles:2", "none"))
    assert workshop.run().code == 0
    out = workshop.folder / "nowhere" / "scores.csv"
    where = ("--store", workshop.store, "--out", out)
    refused(tiny.call("table", "scores", workshop.study, *where), r"scores\.csv cannot be written")
