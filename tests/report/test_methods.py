"""The Methods section describes every task and source, and how to reproduce and cite the study."""

from pathlib import Path

from tests.helpers.imagined import study_text
from tests.helpers.pages import Elements, page_text

NER = """
    [tasks.ner]
    sources = ["synthetic:qadir/news"]
    targets = ["synthetic:vesti/news"]
    limits = { train = 50 }
    training = { epochs = 1 }
"""


def test_methods_describe_every_task_and_source(tmp_path: Path) -> None:
    def lose_seeds(result):  # type: ignore[no-untyped-def]
        return None if (result.run.task, result.run.seed) in {("ner", 2), ("ner", 3)} else result

    text = page_text(tmp_path, study_text() + NER, lose_seeds)
    assert "POS tagging from vesti/news: windows 0-1, 2-3 and 4-5" in text
    assert "seeds 1, 2 and 3 (n = 3)" in text
    assert "seed 1 (n = 1)" in text
    assert "POS tagging from vesti/news: 3 epochs of AdamW, learning rate 5e-05" in text
    assert "1 epoch of AdamW, on at most 50 train sentences" in text
    assert "vesti/news: 6 target corpora, zero-shot, and 1 corpus of another domain" in text
    assert "qadir/news: 1 target corpus, zero-shot, and 0 corpora of other domains" in text
    assert "parsing by LAS" not in text


def test_methods_say_in_words_what_was_done_to_a_window(tmp_path: Path) -> None:
    inits = 'init = ["config", "torch-default", "matched", "permuted", "skip"]\n'
    freeze = 'freeze = ["none", "window"]\n'
    text = page_text(tmp_path, study_text().replace("seeds =", f"{inits}{freeze}seeds ="))
    assert "were re-initialised, or disabled otherwise as a control, and the whole encoder" in text
    assert "re-initialised by the encoder's own initialiser, or" in text
    assert "by PyTorch's default and frozen during fine-tuning" in text
    assert "with the mean and standard deviation of each pretrained tensor" in text
    assert "with the weights permuted within each pretrained tensor and frozen" in text
    assert "or skipped, so that hidden states pass unchanged, seeds 1" in text
    (tmp_path / "plain").mkdir()
    plain = page_text(tmp_path / "plain", study_text())
    assert "were re-initialised and the whole encoder was then fine-tuned" in plain


def test_methods_name_software_time_and_command(page: str) -> None:
    text = Elements(page).text
    assert "with AlignScope 0.1.0, Python 3.11.7, torch 2.13.0, on cpu (x86_64), in fp32" in text
    assert "Computing time: 12 s in total." in text
    assert "alignscope run STUDY.toml --store results" in text
    assert "Software: AlignScope" in text
    assert "@software{alignscope," in text
    assert "version = {0.1.0}" in text
    assert "First Align, then Predict" in text


def test_methods_count_annotation_schemes(tmp_path: Path) -> None:
    text = """
        name = "schemes"
        encoders = ["embedded"]
        windows = ["0-1"]
        training = { learning_rate = 1e-4 }
        [tasks.ner]
        sources = ["wikiann:en"]
        targets = ["wikiann:de", "uner:de_pud"]
        domains = ["uner:en_pud"]
    """
    found = page_text(tmp_path, text)
    expected = (
        "wikiann:en: 2 target corpora in 2 annotation schemes, zero-shot, 0 corpora of other "
        "domains, and 1 corpus of another annotation scheme"
    )
    assert expected.partition(": ")[2] in found
