"""The public interface: its names, its examples, and that it is enough."""

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

import alignscope as al
from alignscope.similarity.measures.registry import unregister_measure
from alignscope.tasks import TASKS

VESTI, QADIR, DORUN = (f"synthetic:{name}/news" for name in ("vesti", "qadir", "dorun"))
QUICK = {"epochs": 1, "learning_rate": 7e-4, "head_learning_rate": 2e-3}


@pytest.fixture(scope="module")
def encoder() -> al.Encoder:
    return al.load_encoder("embedded", device="cpu")


@pytest.fixture(scope="module")
def splits() -> tuple[list[al.Sentence], list[al.Sentence]]:
    train, dev = (al.load_corpus(VESTI, split, limit=40) for split in ("train", "dev"))
    return train, dev


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store")


@pytest.fixture(scope="module")
def results(store: Path) -> al.StudyResults:
    """The results of a study of four runs, run from Python."""
    return al.run_study(small_study(), store, offline=True)


def small_study() -> al.Study:
    return al.Study(
        encoders=["embedded"],
        windows=["0-1"],
        seeds=[1, 2],
        training=QUICK,
        limits={"train": 30, "dev": 10, "test": 20},
        tasks={"pos": al.TaskConfig(sources=[VESTI], targets=[QADIR, DORUN])},
    )


def test_the_listed_names_are_the_public_names() -> None:
    assert sorted(al.__all__) == dir(al)
    for name in al.__all__:
        assert getattr(al, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'alignscope' has no attribute 'fine_tun'"):
        al.fine_tun  # noqa: B018


@pytest.mark.parametrize(
    "code",
    [
        "import alignscope",
        "import alignscope as al; al.load_results; al.Study; al.Window; al.TrainingConfig",
    ],
)
def test_no_torch_is_imported_where_none_is_needed(code: str) -> None:
    heavy = "{'torch', 'transformers', 'scipy', 'matplotlib'}"
    check = f"{code}; import sys; print(*({heavy} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert (answer.stdout.strip(), answer.returncode) == ("", 0), answer.stderr


def test_a_subpackage_hides_no_public_name() -> None:
    """The function ``al.similarity`` and the subpackage of that name live side by side."""
    code = (
        "import alignscope.similarity.compare; import alignscope as al\n"
        "from alignscope import similarity; from alignscope.similarity import layers\n"
        "assert al.similarity is similarity and callable(similarity)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_one_run_with_a_model_object(
    encoder: al.Encoder, splits: tuple[list[al.Sentence], list[al.Sentence]]
) -> None:
    """The first example of docs: a model that the user already has, with and without a window."""
    mine = al.Encoder(encoder.model, encoder.tokenizer)
    ablated = al.reinitialize(mine, "0-1", seed=1)
    before = {name: weight.clone() for name, weight in mine.model.state_dict().items()}
    config = al.TrainingConfig(**QUICK)
    ref, random_init = al.fine_tune(
        [mine, ablated], "pos", *splits, config=config, seed=1, progress=False
    )
    tests = {"vesti": VESTI, "qadir": QADIR}
    scores = ref.evaluate(tests).join(
        random_init.evaluate(tests), on=["corpus", "metric"], suffix="_ablated"
    )
    assert scores["corpus"].to_list() == ["vesti", "qadir"]
    assert scores["encoder_ablated"].unique().to_list() == ["custom (0-1 re-initialised)"]
    assert scores["score"].is_between(0, 1).all()
    assert scores["score"][0] > scores["score_ablated"][0]
    assert all(torch.equal(before[n], w) for n, w in mine.model.state_dict().items())


def test_a_model_with_a_pooler_or_in_half_precision_is_fine_tuned_in_float32(
    encoder_folders: Callable[[str], Path],
) -> None:
    """AutoModel keeps the pooler, and the precision of the checkpoint."""
    folder = encoder_folders("bert")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    loaded = [AutoModel.from_pretrained(folder, dtype=t) for t in (torch.float32, torch.bfloat16)]
    assert loaded[0].pooler is not None
    tagged = [al.Sentence(words=("a", "b", str(n)), upos=("DET", "NOUN", "NUM")) for n in range(9)]
    config = al.TrainingConfig(**QUICK)
    for model in loaded:
        mine = al.Encoder(model, tokenizer)
        pair = [mine, al.reinitialize(mine, "0", seed=1)]
        for tuned in al.fine_tune(pair, "pos", tagged, tagged, config=config, progress=False):
            assert tuned.encoder.model.dtype == torch.float32
            assert math.isfinite(tuned.history["loss"][0])
    assert loaded[1].dtype == torch.bfloat16


def test_several_at_once_are_what_each_is_alone(
    encoder: al.Encoder, splits: tuple[list[al.Sentence], list[al.Sentence]]
) -> None:
    config = al.TrainingConfig(**QUICK)
    both = [encoder, al.reinitialize(encoder, "6-7", seed=1)]
    together = al.fine_tune(both, "pos", *splits, config=config, seed=3, progress=False)
    for one, tuned in zip(both, together, strict=True):
        alone = al.fine_tune(one, "pos", *splits, config=config, seed=3, progress=False)
        assert alone.history["loss"].to_list() == pytest.approx(tuned.history["loss"].to_list())
        assert alone.predict(splits[1]) == tuned.predict(splits[1])


def test_predictions_do_not_read_the_gold_annotations(
    encoder: al.Encoder, splits: tuple[list[al.Sentence], list[al.Sentence]]
) -> None:
    config = al.TrainingConfig(**QUICK)
    tagger = al.fine_tune(encoder, "pos", *splits, config=config, progress=False)
    bare = [al.Sentence(words=sentence.words) for sentence in splits[1]]
    predicted = tagger.predict(bare)
    assert [s.upos for s in predicted] == [s.upos for s in tagger.predict(splits[1])]
    assert {*tagger.history.columns} == {"epoch", "steps", "loss", "dev_score"}


def test_an_unknown_task_is_refused(
    encoder: al.Encoder, splits: tuple[list[al.Sentence], list[al.Sentence]]
) -> None:
    with pytest.raises(al.AlignScopeError, match=r"possing.*did you mean 'parsing'"):
        al.fine_tune(encoder, "possing", *splits, config=al.TrainingConfig(**QUICK))


def test_similarity_of_two_lists(encoder: al.Encoder) -> None:
    english = [f"The number of dogs is {n} ." for n in range(25)]
    german = [f"Die Zahl der Hunde ist {n} ." for n in range(25)]
    table = al.similarity(encoder, english, {"de": german}, measures=["cka", "retrieval"])
    shown = table.select("target", "layer", "measure", "value", "low", "high", "null_low")
    assert shown["target"].unique().to_list() == ["de"]
    assert sorted(shown["layer"].unique()) == list(range(9))
    short = "at least 20|20 at least"
    with pytest.raises(al.AlignScopeError, match=short):
        al.similarity(encoder, english[:5], {"de": german[:5]})


def test_similarity_of_two_treebanks_has_a_figure(encoder: al.Encoder) -> None:
    table = al.similarity(encoder, VESTI, [QADIR, DORUN], measures=["cka"], layers=[0, 8])
    assert set(table["target"]) == {QADIR, DORUN}
    assert set(table["layer"]) == {0, 8}
    assert al.plot_similarity(table).axes


def test_a_study_from_python(results: al.StudyResults) -> None:
    assert results.runs["status"].to_list() == ["done"] * 4
    contrast = results.effects.filter(pl.col("on") == "targets − source")
    assert contrast["window"].to_list() == ["0-1"]


def test_a_study_compares_what_its_similarity_names() -> None:
    similarity = al.SimilarityConfig(corpora=[VESTI, QADIR], measures=["cka"], limit=25)
    study = small_study().model_copy(update={"similarity": similarity})
    compared = study.expand()[0].similarity
    assert compared is not None
    assert (compared.corpora, compared.measures, compared.limit) == ((VESTI, QADIR), ("cka",), 25)


def test_a_finished_study_is_only_read(results: al.StudyResults, store: Path) -> None:
    class Never(al.SerialExecutor):
        def __call__(self, *given: Any) -> Any:
            pytest.fail("a finished study was executed again")

    again = al.run_study(small_study(), store, offline=True, executor=Never())
    assert again.scores.equals(results.scores)


def test_tables_and_report(results: al.StudyResults, store: Path, tmp_path: Path) -> None:
    read = al.load_results(store)
    assert "effects" in read.tables["table"].to_list()
    assert read.effects.equals(results.effects)
    page = read.report(tmp_path / "report.html")
    assert page.stat().st_size > 50_000
    assert any(name.startswith("corpus-heatmap/pos/") for name in read.figures)


def test_a_table_for_pandas(results: al.StudyResults) -> None:
    pandas = pytest.importorskip("pandas")
    frame = results.to_pandas("effects")
    assert isinstance(frame, pandas.DataFrame)
    assert list(frame.columns) == results.effects.columns


def test_a_task_from_outside(encoder: al.Encoder) -> None:
    """A token-level task needs three names; TokenTagging has its labels, head and score."""

    class XposTagging(al.TokenTagging):
        name, annotation, title = "xpos", "xpos", "XPOS tagging"

    al.register_task(XposTagging)
    try:
        al.check_task(XposTagging())
        tagged = [
            al.Sentence(words=("Dogs", "bark", str(n)), annotations={"xpos": ("NNS", "VBP", "CD")})
            for n in range(30)
        ]
        config = al.TrainingConfig(**QUICK)
        tagger = al.fine_tune(encoder, "xpos", tagged, tagged[:5], config=config, progress=False)
        assert tagger.evaluate({"own": tagged})["task"].to_list() == ["xpos"]
    finally:
        TASKS.remove("xpos")


def test_a_measure_from_outside(encoder: al.Encoder) -> None:
    """The example of a measure that is defined outside the package: distance correlation."""

    @al.register_measure("dcor", title="distance correlation", bounds=(0, 1))
    def distance_correlation(x: torch.Tensor, y: torch.Tensor) -> float:
        a, b = (
            d - d.mean(0) - d.mean(1, keepdim=True) + d.mean()
            for d in (torch.cdist(side, side) for side in (x, y))
        )
        covariance = (a * b).mean() / ((a * a).mean() * (b * b).mean()).sqrt()
        return float(covariance.clamp(min=0).sqrt())

    try:
        table = al.similarity(encoder, VESTI, [QADIR], measures=["dcor"], layers=[8], limit=25)
        (row,) = table.rows(named=True)
        assert row["low"] <= row["value"] <= row["high"]
        assert 0 < row["null_low"] < row["null_high"] < 1
    finally:
        unregister_measure("dcor")
