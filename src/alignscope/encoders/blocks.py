"""Find the transformer blocks of an encoder, or raise an error with the reason."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from transformers import PreTrainedModel

from alignscope.errors import EncoderError

REFUSED = {
    "albert": "shares one block across its layers, so a window cannot be re-initialised",
    "xlm": "keeps attention and feed-forward layers in parallel lists, so it has no blocks",
    "flaubert": "keeps attention and feed-forward layers in parallel lists, so it has no blocks",
    "canine": "runs its blocks on down-sampled characters, which do not represent words",
}
"""The reason why a model type has no usable blocks."""


@dataclass(frozen=True)
class BlockInfo:
    """One block as ``alignscope blocks`` shows it; ``block`` is counted from 0."""

    block: int
    path: str
    parameters: int
    matrices: int


def blocks(encoder: PreTrainedModel) -> nn.ModuleList:
    """Return the encoder's blocks, block 0 first.

    >>> from transformers import BertConfig, BertModel
    >>> len(blocks(BertModel(BertConfig(num_hidden_layers=2, hidden_size=24, vocab_size=9))))
    2

    The blocks are the outermost ``ModuleList`` with ``config.num_hidden_layers`` entries. This one
    rule, tested with 25 encoder classes, replaces a table of paths.

    Raises:
        EncoderError: for ALBERT, XLM, FlauBERT and CANINE, and for an encoder with no such list,
            several such lists, or two blocks that share a parameter.
    """
    return _find_blocks(encoder)[1]


def block_path(encoder: PreTrainedModel) -> str:
    """Return the path of the blocks: with ``"encoder.layer"``, block i is ``encoder.layer.i``.

    Raises:
        EncoderError: as `blocks` does.
    """
    return _find_blocks(encoder)[0]


def check_supported(model_type: str, name: str) -> None:
    """Raise an `EncoderError` if encoders of this ``config.model_type`` have no usable blocks.

    This check needs no weights, so a study can be refused before anything is loaded.
    """
    if model_type in REFUSED:
        raise EncoderError(f"{name} {REFUSED[model_type]}. Choose another encoder.")


def _find_blocks(encoder: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    name = type(encoder).__name__
    check_supported(encoder.config.model_type, name)
    count = encoder.config.num_hidden_layers
    lists = list(_outermost_lists(encoder, count))
    if not lists:
        raise EncoderError(f"{name} has no list of {count} blocks (config.num_hidden_layers).")
    if len(lists) > 1:
        paths = ", ".join(path for path, _ in lists)
        raise EncoderError(
            f"{name} has several lists of {count} modules ({paths}), so its blocks are ambiguous."
        )
    _check_unshared(lists[0][1], name)
    return lists[0]


def _outermost_lists(
    module: nn.Module, count: int, prefix: str = ""
) -> Iterator[tuple[str, nn.ModuleList]]:
    """Yield lists of ``count`` modules that lie in no such list: an mT5 block is a list as well."""
    for name, child in module.named_children():
        if isinstance(child, nn.ModuleList) and len(child) == count:
            yield prefix + name, child
        else:
            yield from _outermost_lists(child, count, f"{prefix}{name}.")


def _check_unshared(blocks_found: nn.ModuleList, name: str) -> None:
    owner: dict[int, int] = {}
    for index, block in enumerate(blocks_found):
        for parameter in block.parameters():
            if owner.setdefault(id(parameter), index) != index:
                first = owner[id(parameter)]
                raise EncoderError(
                    f"{name} shares parameters between blocks {first} and {index}, so a window "
                    "cannot be re-initialised alone."
                )


def final_norm(encoder: PreTrainedModel) -> str | None:
    """Return the path of the norm that runs after the last block, or None if there is none.

    The path is ``"final_norm"`` for ModernBERT, ``"norm"`` for EuroBERT and
    ``"encoder.final_layer_norm"`` for mT5. Their last hidden state comes *after* this norm, so a
    curve over layers jumps there. It is None for BERT and its relatives, whose last hidden state is
    the output of the last block.

    The norm is observed on three tokens and not guessed from names: DeBERTa's
    ``encoder.LayerNorm`` lies beside the blocks too, but normalises relative positions.

    Raises:
        EncoderError: as `blocks` does.
    """
    last, seen = blocks(encoder)[-1], list[str]()
    inside = set(blocks(encoder).modules())
    hooks = [last.register_forward_hook(lambda *_: seen.clear())]
    for path, module in encoder.named_modules():
        if module not in inside and _is_norm(module):
            hooks.append(module.register_forward_hook(lambda *_, path=path: seen.append(path)))
    try:
        encode_trial_tokens(encoder)
    finally:
        for hook in hooks:
            hook.remove()
    return seen[0] if seen else None


def _is_norm(module: nn.Module) -> bool:
    """Whether a module is a norm, and not just named after one (RobertaPreLayerNormEncoder)."""
    return "norm" in type(module).__name__.lower() and not any(True for _ in module.children())


def encode_trial_tokens(encoder: PreTrainedModel) -> None:
    """Run an encoder on three tokens in eval mode, for hooks to observe."""
    tokens = torch.ones(1, 3, dtype=torch.long, device=encoder.device)
    extra = {"lang_ids": tokens[:, 0] * 0} if encoder.config.model_type == "xmod" else {}
    training = encoder.training
    encoder.eval()
    with torch.no_grad():
        encoder(input_ids=tokens, attention_mask=tokens, **extra)
    encoder.train(training)


def block_table(encoder: PreTrainedModel) -> list[BlockInfo]:
    """Return path and numbers of parameters of each block, block 0 first.

    ``matrices`` counts the parameters with two or more dimensions, all of which a re-initialisation
    must change.

    Raises:
        EncoderError: as `blocks` does.
    """
    path, block_list = _find_blocks(encoder)
    return [
        BlockInfo(
            index,
            f"{path}.{index}",
            sum(parameter.numel() for parameter in block.parameters()),
            sum(parameter.ndim >= 2 for parameter in block.parameters()),
        )
        for index, block in enumerate(block_list)
    ]


def caveats(encoder: PreTrainedModel) -> list[str]:
    """Return sentences about parameters that a window changes beyond its blocks, or leaves alone.

    The list is empty for BERT, DistilBERT, XLM-R, ELECTRA and RoFormer.

    Raises:
        EncoderError: as `blocks` does.
    """
    path, norm = block_path(encoder), final_norm(encoder)
    notes = [_outside(encoder, path, norm), _position_bias(encoder, path), _adapters(encoder)]
    if norm:
        notes.append(f"The last hidden state comes after {norm}, which no window changes.")
    return [note for note in notes if note]


def _outside(encoder: PreTrainedModel, path: str, norm: str | None) -> str:
    """Describe the modules beside the blocks, except for embeddings, which belong there."""
    parent, _, list_name = path.rpartition(".")
    if not parent:
        return ""
    beside = [
        f"{parent}.{name}"
        for name, child in encoder.get_submodule(parent).named_children()
        if name not in (list_name, "embed_tokens", "embed_positions")
        and any(True for _ in child.parameters())
    ]
    outside = ", ".join(name for name in beside if name != norm)
    return f"Outside the blocks, so no window changes it: {outside}." if outside else ""


def _position_bias(encoder: PreTrainedModel, path: str) -> str:
    owners = {
        name.removeprefix(f"{path}.").partition(".")[0]
        for name, _ in encoder.named_parameters()
        if name.startswith(f"{path}.") and "relative_attention_bias" in name
    }
    if owners != {"0"}:
        return ""
    return (
        f"{path}.0 holds the relative position bias of all blocks, so a window with block 0 "
        "resets it for all of them."
    )


def _adapters(encoder: PreTrainedModel) -> str:
    if encoder.config.model_type != "xmod":
        return ""
    count = len(encoder.config.languages)
    return f"Every block holds {count} language adapters, which a window resets unless kept."
