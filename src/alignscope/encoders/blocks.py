"""Find the blocks of an encoder, or say why it has none that a window could name."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn
from transformers import PreTrainedModel

from alignscope.errors import EncoderError

REFUSED = {
    "albert": "shares one block across its layers; a window cannot be re-initialised",
    "xlm": "keeps attention and feed-forward in parallel lists; it has no blocks to name",
    "flaubert": "keeps attention and feed-forward in parallel lists; it has no blocks to name",
    "canine": "runs its blocks on down-sampled characters; they have no words to represent",
}
"""Model types without usable blocks, and why."""


@dataclass(frozen=True)
class BlockInfo:
    """One block as ``alignscope blocks`` prints it; ``block`` is counted from 0."""

    block: int
    path: str
    parameters: int
    matrices: int


def blocks(encoder: PreTrainedModel) -> nn.ModuleList:
    """Return the encoder's blocks, block 0 first.

    >>> from transformers import BertConfig, BertModel
    >>> len(blocks(BertModel(BertConfig(num_hidden_layers=2, hidden_size=24, vocab_size=9))))
    2

    They are the outermost ``ModuleList`` with ``config.num_hidden_layers`` entries: one rule
    for every family (it was tried on 25 encoder classes), no table of paths.
    Raises ``EncoderError``, with the reason, for ALBERT, XLM, FlauBERT and CANINE and for any
    encoder with no such list, several such lists, or two blocks that share a parameter.
    """
    return _find(encoder)[1]


def block_path(encoder: PreTrainedModel) -> str:
    """Return where ``blocks`` found them: ``"encoder.layer"``, block i is ``encoder.layer.i``.

    Raises ``EncoderError`` like ``blocks``.
    """
    return _find(encoder)[0]


def check_supported(model_type: str, name: str) -> None:
    """Raise ``EncoderError`` if encoders of this ``config.model_type`` have no usable blocks.

    It needs no weights, so a study can be refused before anything is loaded.
    """
    if model_type in REFUSED:
        raise EncoderError(f"{name} {REFUSED[model_type]}")


def _find(encoder: PreTrainedModel) -> tuple[str, nn.ModuleList]:
    name = type(encoder).__name__
    check_supported(encoder.config.model_type, name)
    count = encoder.config.num_hidden_layers
    found = list(_outermost(encoder, count))
    if not found:
        raise EncoderError(f"{name} has no list of {count} blocks (config.num_hidden_layers)")
    if len(found) > 1:
        paths = ", ".join(path for path, _ in found)
        raise EncoderError(f"{name} has several lists of {count} modules ({paths}), not one")
    _refuse_shared(found[0][1], name)
    return found[0]


def _outermost(
    module: nn.Module, count: int, prefix: str = ""
) -> Iterator[tuple[str, nn.ModuleList]]:
    """Yield lists of ``count`` modules; none within another: an mT5 block is a list as well."""
    for name, child in module.named_children():
        if isinstance(child, nn.ModuleList) and len(child) == count:
            yield prefix + name, child
        else:
            yield from _outermost(child, count, f"{prefix}{name}.")


def _refuse_shared(found: nn.ModuleList, name: str) -> None:
    owner: dict[int, int] = {}
    for index, block in enumerate(found):
        for parameter in block.parameters():
            if owner.setdefault(id(parameter), index) != index:
                first = owner[id(parameter)]
                raise EncoderError(f"{name} shares parameters between blocks {first} and {index}")


def final_norm(encoder: PreTrainedModel) -> str | None:
    """Return the path of the norm that runs after the last block, or None if there is none.

    ``"final_norm"`` for ModernBERT, ``"norm"`` for EuroBERT, ``"encoder.final_layer_norm"`` for
    mT5: their last hidden state is *after* it, so a curve over layers jumps there. None for
    BERT and its kin, whose last hidden state is what the last block put out.

    It is observed, not guessed from names, on three tokens: DeBERTa's ``encoder.LayerNorm``
    stands beside the blocks as well but norms its relative positions.
    Raises ``EncoderError`` like ``blocks``.
    """
    last, seen = blocks(encoder)[-1], list[str]()
    inside = set(blocks(encoder).modules())
    hooks = [last.register_forward_hook(lambda *_: seen.clear())]
    for path, module in encoder.named_modules():
        if module not in inside and _is_norm(module):
            hooks.append(module.register_forward_hook(lambda *_, path=path: seen.append(path)))
    try:
        _try_out(encoder)
    finally:
        for hook in hooks:
            hook.remove()
    return seen[0] if seen else None


def _is_norm(module: nn.Module) -> bool:
    """Tell a norm from a module that is merely called after one (RobertaPreLayerNormEncoder)."""
    return "norm" in type(module).__name__.lower() and not any(True for _ in module.children())


def _try_out(encoder: PreTrainedModel) -> None:
    tokens = torch.ones(1, 3, dtype=torch.long, device=encoder.device)
    extra = {"lang_ids": tokens[:, 0] * 0} if encoder.config.model_type == "xmod" else {}
    training = encoder.training
    encoder.eval()
    with torch.no_grad():
        encoder(input_ids=tokens, attention_mask=tokens, **extra)
    encoder.train(training)


def block_table(encoder: PreTrainedModel) -> list[BlockInfo]:
    """Return one row per block, block 0 first: where it is and how much it holds.

    ``matrices`` counts the parameters with two or more dimensions: those that a
    re-initialisation must change. Raises ``EncoderError`` like ``blocks``.
    """
    path, found = _find(encoder)
    return [
        BlockInfo(
            index,
            f"{path}.{index}",
            sum(parameter.numel() for parameter in block.parameters()),
            sum(parameter.ndim >= 2 for parameter in block.parameters()),
        )
        for index, block in enumerate(found)
    ]


def caveats(encoder: PreTrainedModel) -> list[str]:
    """Return in words what a window touches beyond its blocks, or leaves alone.

    Empty for BERT, DistilBERT, XLM-R, ELECTRA and RoFormer.
    Raises ``EncoderError`` like ``blocks``.
    """
    path, norm = block_path(encoder), final_norm(encoder)
    said = [_beside(encoder, path, norm), _position_bias(encoder, path), _adapters(encoder)]
    if norm:
        said.append(f"the last hidden state is after {norm}, which no window touches")
    return [note for note in said if note]


def _beside(encoder: PreTrainedModel, path: str, norm: str | None) -> str:
    """Name what stands beside the blocks in their module; embeddings go without saying."""
    parent, _, own = path.rpartition(".")
    if not parent:
        return ""
    beside = [
        f"{parent}.{name}"
        for name, child in encoder.get_submodule(parent).named_children()
        if name not in (own, "embed_tokens", "embed_positions")
        and any(True for _ in child.parameters())
    ]
    outside = ", ".join(name for name in beside if name != norm)
    return f"outside the blocks, so that no window touches it: {outside}" if outside else ""


def _position_bias(encoder: PreTrainedModel, path: str) -> str:
    owners = {
        name.removeprefix(f"{path}.").partition(".")[0]
        for name, _ in encoder.named_parameters()
        if name.startswith(f"{path}.") and "relative_attention_bias" in name
    }
    if owners != {"0"}:
        return ""
    return (
        f"{path}.0 holds the relative position bias of all blocks: a window with block 0 "
        "resets it for all of them"
    )


def _adapters(encoder: PreTrainedModel) -> str:
    if encoder.config.model_type != "xmod":
        return ""
    count = len(encoder.config.languages)
    return f"every block holds {count} language adapters: a window resets them unless kept"
