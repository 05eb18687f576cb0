"""Pretrain a small encoder from raw text."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alignscope.data.corpora import load_raw_texts
from alignscope.data.paths import DataPaths

if TYPE_CHECKING:
    from alignscope.training.pretraining.config import PretrainingConfig


def pretrain(
    corpora: Sequence[str],
    out: str | Path,
    config: "PretrainingConfig",
    *,
    data: Sequence[str | Path] = (),
    progress: bool = True,
) -> Path:
    """Train a WordPiece tokenizer and a small BERT on text, and write a Hugging Face folder.

    ::

        config = al.PretrainingConfig(blocks=4, hidden=64, steps=2000)
        al.pretrain(["synthetic:vesti", "synthetic:qadir"], "encoders/tiny", config)

    An interrupted pretraining resumes if it is called again with the same arguments.

    Args:
        corpora: texts, such as ``text:en``, ``ud:en_ewt``, ``synthetic:*`` or a file.
        out: the folder to write.
        config: the size of the encoder, its vocabulary, the number of steps and the like.
        data: folders with corpora, searched before those in ``ALIGNSCOPE_DATA``.
        progress: whether to show the steps on standard error.

    Returns:
        The folder, which `load_encoder` loads.

    Raises:
        DataError: if there is no such text.
        EncoderError: if ``out`` holds a finished encoder, or a checkpoint with another
            configuration or text.
    """
    from alignscope.experiments.progress import StepBar
    from alignscope.training.pretraining import pretrain as training
    from alignscope.training.pretraining.checkpoint import check_not_finished

    folder = Path(out)
    check_not_finished(folder)
    lines, source = load_raw_texts(corpora, DataPaths.of(data))
    if not progress:
        return training.pretrain(lines, folder, config, source=source)
    with StepBar("pretraining") as bar:
        return training.pretrain(lines, folder, config, source=source, progress=bar)
