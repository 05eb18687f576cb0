"""Load a Hugging Face encoder and its tokenizer, from a folder or from the hub."""

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
    """Load the encoder ``name`` without a head, as a model of transformers.

    ``load_model("bert-base-multilingual-cased")`` returns a ``BertModel``, and
    ``load_model("google/mt5-base")`` the encoder half of mT5. A checkpoint may contain heads and
    prefixes.

    Args:
        name: a folder that ``save_pretrained`` wrote, a name on the hub, or ``embedded``.
        revision: the branch, tag or commit on the hub.
        remote_code: whether code from the hub may run.

    Returns:
        The encoder in float32, because mDeBERTa overflows in half precision, and in eval mode.
        Every weight comes from the checkpoint. The pooler, which is unused here and missing from
        many checkpoints, is removed. The global random state stays as it was.

    Raises:
        EncoderError: if nothing of that name exists, if a file is missing or broken, if there are
            no safetensors, or if weights are missing or have another shape than the configuration
            requires: they would silently be random.
    """
    name = resolve_encoder(name)
    commit, config = _load_config(name, revision, remote_code)
    if Path(name).is_dir():
        weight_files(Path(name))
    auto = _auto_class(name, config)
    with silence_transformers(), torch.random.fork_rng(devices=[]), _explain_errors(name):
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
    _check_weights(name, info)
    _drop_pooler(encoder)
    encoder.config._commit_hash = None if Path(name).is_dir() else commit
    return encoder


def load_tokenizer(
    name: str, revision: str = "main", *, remote_code: bool = False
) -> PreTrainedTokenizerBase:
    """Load the tokenizer of the encoder ``name``; it must be a fast one.

    Only fast tokenizers know which subword belongs to which word
    (``load_tokenizer("xlm-roberta-base")("zwei Wörter").word_ids()``), and every task needs this.

    Args:
        name: a folder, a name on the hub, or ``embedded``.
        revision: the branch, tag or commit on the hub.
        remote_code: whether code from the hub may run.

    Raises:
        EncoderError: if there is no tokenizer, or as `check_tokenizer` does.
    """
    name = resolve_encoder(name)
    commit, config = _load_config(name, revision, remote_code)
    with silence_transformers(), _explain_errors(name):
        tokenizer = AutoTokenizer.from_pretrained(
            name, revision=commit, config=config, trust_remote_code=remote_code
        )
    check_tokenizer(tokenizer, name)
    return tokenizer


def check_tokenizer(tokenizer: PreTrainedTokenizerBase, name: str) -> None:
    """Make sure that the tokenizer of the encoder ``name`` is fast and has a vocabulary.

    If the files of a tokenizer are missing, transformers builds an empty one without any warning.

    Raises:
        EncoderError: if the tokenizer is slow or empty.
    """
    kind = type(tokenizer).__name__
    if not tokenizer.is_fast:
        raise EncoderError(
            f"{name} has a slow tokenizer ({kind}), which does not know the words of its subwords. "
            "Convert it to a fast tokenizer (tokenizer.json)."
        )
    if set(tokenizer.get_vocab()) <= set(tokenizer.all_special_tokens):
        raise EncoderError(f"{name} has no tokenizer, such as a tokenizer.json. Add its files.")


def block_count(name: str, revision: str = "main", *, remote_code: bool = False) -> int:
    """Return how many blocks the encoder ``name`` has, from its configuration alone.

    >>> block_count("embedded")
    8

    No weights are read, so that a study can be planned, and a window refused, on a laptop.

    Args:
        name: a folder, a name on the hub, or ``embedded``.
        revision: the branch, tag or commit on the hub.
        remote_code: whether code from the hub may run.

    Raises:
        EncoderError: as `load_model` does, and for families without usable blocks (ALBERT, XLM,
            FlauBERT, CANINE).
    """
    name = resolve_encoder(name)
    _, config = _load_config(name, revision, remote_code)
    check_supported(config.model_type, name)
    count = getattr(config, "num_hidden_layers", None)
    if not isinstance(count, int):
        raise EncoderError(
            f"The configuration of {name} has no number of blocks (num_hidden_layers)."
        )
    return count


def resolved_revision(encoder: PreTrainedModel) -> str | None:
    """Return the commit on the hub from which a model was loaded, or None for a folder."""
    commit: str | None = getattr(encoder.config, "_commit_hash", None)
    return commit


def set_language(encoder: PreTrainedModel, language: str) -> None:
    """Select the adapters of an X-MOD encoder for ``language``; other encoders have none.

    ``set_language(encoder, "en")`` selects ``en_XX``; a full name such as ``"en_XX"`` works too.

    Raises:
        EncoderError: if X-MOD has no adapters for the language, or several.
    """
    if not needs_language(encoder):
        return
    known = list(encoder.config.languages)
    matching = [name for name in known if language in (name, name.partition("_")[0])]
    if len(matching) != 1:
        hint = nearest(language, known) or "."
        raise EncoderError(
            f"{language} names {len(matching)} language adapters of this encoder instead of "
            f"one{hint} Known are: {', '.join(known)}."
        )
    encoder.set_default_language(matching[0])


def needs_language(encoder: PreTrainedModel) -> bool:
    """Whether an encoder has adapters for each language (X-MOD)."""
    return bool(encoder.config.model_type == "xmod")


def _load_config(name: str, revision: str, remote_code: bool) -> tuple[str, PretrainedConfig]:
    """Return the commit of ``revision``, and the configuration in that commit."""
    commit = revision if Path(name).is_dir() else _commit(name, revision)
    if Path(name).is_dir():
        check_folder(Path(name))
    with silence_transformers(), _explain_errors(name):
        config = AutoConfig.from_pretrained(name, revision=commit, trust_remote_code=remote_code)
    return commit, config


def _auto_class(name: str, config: PretrainedConfig) -> Any:
    """Return the auto class that loads the encoder alone."""
    if not config.is_encoder_decoder:
        return AutoModel
    if type(config) not in MODEL_FOR_TEXT_ENCODING_MAPPING:
        raise EncoderError(
            f"{name} is an encoder-decoder ({config.model_type}) whose encoder transformers cannot "
            "load alone. Choose another encoder."
        )
    return AutoModelForTextEncoding


def _commit(name: str, revision: str) -> str:
    """Resolve a branch to its commit, so that configuration, weights and tokenizer agree.

    A commit also keeps transformers from asking the conversion service of the hub.
    """
    try:
        with silence_transformers():
            return Path(hf_hub_download(name, "config.json", revision=revision)).parent.name
    except LocalEntryNotFoundError as error:
        raise EncoderError(
            f"{name} is not a folder, and the hub cannot be reached. Correct the path, or connect "
            "to the network."
        ) from error
    except EntryNotFoundError as error:
        raise EncoderError(
            f"{name}@{revision} on the hub has no config.json, so it is no encoder."
        ) from error
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{name}@{revision} is neither a folder nor an encoder on the hub that you can access."
        ) from error


def _check_weights(name: str, info: dict[str, Any]) -> None:
    missing = sorted(key for key in info["missing_keys"] if not key.startswith("pooler."))
    if missing:
        raise EncoderError(
            f"{name} lacks {len(missing)} weights of its encoder, such as {missing[0]}. Copy the "
            "whole checkpoint."
        )
    mismatched = sorted(info["mismatched_keys"])
    if mismatched:
        key, in_file, by_config = mismatched[0]
        raise EncoderError(
            f"{name} has {len(mismatched)} weights that its config.json contradicts, such as {key}:"
            f" {tuple(in_file)} in the file, {tuple(by_config)} by the configuration. Restore the "
            "config.json of the checkpoint."
        )


def _drop_pooler(encoder: PreTrainedModel) -> None:
    """Remove the pooler if the class allows it: it is unused, and random if missing."""
    if "add_pooling_layer" in inspect.signature(type(encoder).__init__).parameters:
        encoder.pooler = None


@contextmanager
def _explain_errors(name: str) -> Iterator[None]:
    """Turn the errors of transformers, tokenizers and safetensors into one sentence."""
    try:
        yield
    except EncoderError:
        raise
    except Exception as error:  # tokenizers raises bare Exception, broken files KeyError
        if "trust_remote_code" in str(error):
            raise EncoderError(
                f"{name} needs code from the hub. Allow it with --remote-code, remote_code or "
                "trust_remote_code."
            ) from error
        reason = str(error).strip().partition("\n")[0].partition(". ")[0]
        raise EncoderError(f"{name} cannot be loaded: {reason.rstrip('.')}.") from error


@contextmanager
def silence_transformers() -> Iterator[None]:
    """Hide messages about unused heads, retries and progress; errors are raised anyway."""
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
