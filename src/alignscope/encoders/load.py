"""Load any Hugging Face encoder and its tokenizer, from a folder or from the hub."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
from huggingface_hub.utils import logging as hub_logging
from transformers import (
    MODEL_FOR_TEXT_ENCODING_MAPPING,
    AutoConfig,
    AutoModel,
    AutoModelForTextEncoding,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from alignscope.encoders.blocks import check_supported
from alignscope.encoders.identity import check_folder, encoder_identity, weight_files
from alignscope.encoders.resolve import resolve_encoder
from alignscope.errors import EncoderError, nearest

__all__ = [
    "block_count",
    "check_tokenizer",
    "encoder_identity",
    "load_model",
    "load_tokenizer",
    "resolved_revision",
    "set_language",
]


def load_model(name: str, revision: str = "main", *, remote_code: bool = False) -> PreTrainedModel:
    """Load the encoder ``name``, a folder, a name on the hub or ``embedded``, without a head.

    ``load_model("bert-base-multilingual-cased")`` gives a ``BertModel``, and
    ``load_model("google/mt5-base")`` the encoder half of mT5; a folder that
    ``save_pretrained`` wrote works the same, heads and prefixes in its checkpoint included.

    The encoder is float32 (mDeBERTa overflows in half precision), in eval mode, and every one
    of its weights comes from the checkpoint: a pooler, which nothing here uses and many
    checkpoints lack, is left out. Only safetensors are read. Code from the hub runs only with
    ``remote_code=True``. The global random state stays as it was.

    Raises ``EncoderError``: nothing of that name; no configuration, or one that cannot be read;
    no safetensors; a broken file; weights that are missing or of another shape than the
    configuration says, because a block that is silently random makes wrong science.
    """
    name = resolve_encoder(name)
    commit, config = _config(name, revision, remote_code)
    if Path(name).is_dir():
        weight_files(Path(name))
    auto = _auto(name, config)
    with silence_transformers(), torch.random.fork_rng(devices=[]), _explained(name):
        encoder, info = auto.from_pretrained(
            name,
            revision=commit,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=remote_code,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    _refuse_gaps(name, info)
    _drop_pooler(encoder)
    encoder.config._commit_hash = None if Path(name).is_dir() else commit
    return encoder


def load_tokenizer(
    name: str, revision: str = "main", *, remote_code: bool = False
) -> PreTrainedTokenizerBase:
    """Load the tokenizer of the encoder ``name``; it must be a fast one.

    ``load_tokenizer("xlm-roberta-base")("zwei Wörter").word_ids()`` tells which piece belongs to
    which word: only fast tokenizers can, and the whole library rests on it.

    Raises ``EncoderError`` if there is none, if it is slow, or if it comes without a vocabulary
    (where its files are missing, transformers makes up an empty tokenizer and says nothing).
    """
    name = resolve_encoder(name)
    commit, config = _config(name, revision, remote_code)
    with silence_transformers(), _explained(name):
        tokenizer = AutoTokenizer.from_pretrained(
            name, revision=commit, config=config, trust_remote_code=remote_code
        )
    check_tokenizer(tokenizer, name)
    return tokenizer


def check_tokenizer(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Make sure that the tokenizer of the encoder ``name`` is a fast one and has a vocabulary.

    Raises:
        EncoderError: if not.
    """
    kind = type(tokenizer).__name__
    if not tokenizer.is_fast:
        raise EncoderError(f"{name} has a slow tokenizer ({kind}), which cannot tell words apart")
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
        raise EncoderError(f"{name} has no tokenizer, such as a tokenizer.json")


def block_count(name: str, revision: str = "main", *, remote_code: bool = False) -> int:
    """Return how many blocks the encoder ``name`` has, from its configuration alone.

    ``block_count("bert-base-multilingual-cased") == 12``; no weights are read, so a study can
    be planned, and a window refused, on a laptop. Raises ``EncoderError`` like ``load_model``,
    and for families without usable blocks (ALBERT, XLM, FlauBERT, CANINE).
    """
    name = resolve_encoder(name)
    _, config = _config(name, revision, remote_code)
    check_supported(config.model_type, name)
    count = getattr(config, "num_hidden_layers", None)
    if not isinstance(count, int):
        raise EncoderError(f"{name} does not say how many blocks it has (num_hidden_layers)")
    return count


def resolved_revision(encoder: PreTrainedModel) -> str | None:
    """Return the commit on the hub that ``load_model`` read, or None for a folder."""
    commit: str | None = getattr(encoder.config, "_commit_hash", None)
    return commit


def set_language(encoder: PreTrainedModel, language: str) -> None:
    """Let an X-MOD encoder use its adapters for ``language``; do nothing for any other encoder.

    ``set_language(encoder, "en")`` chooses ``en_XX``; a full name such as ``"en_XX"`` works too.
    Raises ``EncoderError`` if X-MOD has no adapters for it, or several.
    """
    if not needs_language(encoder):
        return
    known = list(encoder.config.languages)
    found = [name for name in known if language in (name, name.partition("_")[0])]
    if len(found) != 1:
        raise EncoderError(
            f"{language} names {len(found)} of this encoder's language adapters, not one; it has "
            f"{', '.join(known)}{nearest(language, known)}"
        )
    encoder.set_default_language(found[0])


def needs_language(encoder: PreTrainedModel) -> bool:
    """Whether an encoder must be told the language of what it reads (X-MOD)."""
    return bool(encoder.config.model_type == "xmod")


def _config(name: str, revision: str, remote_code: bool) -> tuple[str, PretrainedConfig]:
    """Return the commit that ``revision`` stands for, and the configuration found there."""
    commit = revision if Path(name).is_dir() else _commit(name, revision)
    if Path(name).is_dir():
        check_folder(Path(name))
    with silence_transformers(), _explained(name):
        config = AutoConfig.from_pretrained(name, revision=commit, trust_remote_code=remote_code)
    return commit, config


def _auto(name: str, config: PretrainedConfig) -> Any:
    """Return the class that gives the encoder alone."""
    if not config.is_encoder_decoder:
        return AutoModel
    if type(config) not in MODEL_FOR_TEXT_ENCODING_MAPPING:
        raise EncoderError(
            f"{name} is an encoder-decoder ({config.model_type}) whose encoder transformers does "
            "not offer alone"
        )
    return AutoModelForTextEncoding


def _commit(name: str, revision: str) -> str:
    """Pin a branch to its commit once: configuration, weights and tokenizer then agree.

    A commit also keeps transformers from asking the hub's conversion service for safetensors.
    """
    try:
        with silence_transformers():
            return Path(hf_hub_download(name, "config.json", revision=revision)).parent.name
    except LocalEntryNotFoundError as error:
        raise EncoderError(f"{name} is no folder, and the hub cannot be reached") from error
    except EntryNotFoundError as error:
        raise EncoderError(f"{name}@{revision} on the hub has no config.json") from error
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{name}@{revision} is neither a folder nor an encoder on the hub that you may read"
        ) from error


def _refuse_gaps(name: str, info: dict[str, Any]) -> None:
    lost = sorted(key for key in info["missing_keys"] if not key.startswith("pooler."))
    if lost:
        raise EncoderError(f"{name} lacks {len(lost)} weights of its encoder, such as {lost[0]}")
    odd = sorted(info["mismatched_keys"])
    if odd:
        key, found, wanted = odd[0]
        raise EncoderError(
            f"{name} has {len(odd)} weights that its config.json contradicts, such as {key}: "
            f"{tuple(found)} in the file, {tuple(wanted)} by the configuration"
        )


def _drop_pooler(encoder: PreTrainedModel) -> None:
    """Remove the pooler where the class can do without: it is unused, and random if missing."""
    if "add_pooling_layer" in inspect.signature(type(encoder).__init__).parameters:
        encoder.pooler = None


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn what transformers, tokenizers and safetensors raise into one sentence."""
    try:
        yield
    except EncoderError:
        raise
    except Exception as error:  # tokenizers raises bare Exception, broken files KeyError
        if "trust_remote_code" in str(error):
            raise EncoderError(f"{name} needs code from the hub; allow it to run") from error
        first = str(error).strip().partition("\n")[0].partition(". ")[0]
        raise EncoderError(f"{name} cannot be loaded: {first.rstrip('.')}") from error


@contextmanager
def silence_transformers() -> Iterator[None]:
    """Keep notes on unused heads, retries and bars from the user; what matters is raised."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    hub = hub_logging.get_verbosity()
    logging.set_verbosity_error()
    hub_logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        hub_logging.set_verbosity(hub)
        if bars:
            logging.enable_progress_bar()
