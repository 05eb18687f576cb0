"""Similarity tables of named corpora, in studies and outside, on synthetic languages."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from alignscope.config.registry import MEASURE_INFO
from alignscope.config.run import EncoderSpec, RunSpec, SplitLimits, TrainingConfig
from alignscope.config.similarity import ComparisonConfig, SimilarityConfig
from alignscope.data.paths import DataPaths
from alignscope.encoders.load import load_model, load_tokenizer
from alignscope.encoders.tokenization import TokenizedSentence, WordTokenizer
from alignscope.errors import DataError, SimilarityError, StoreError, StudyError
from alignscope.experiments import run as perform
from alignscope.experiments.preflight import check_data, check_encoders
from alignscope.results.schemas import RUN_SIMILARITY, SIMILARITY
from alignscope.results.store import ResultStore
from alignscope.results.tables import run_similarity_table
from alignscope.similarity import extractor as reader
from alignscope.similarity.alignment import aligned_words
from alignscope.similarity.compare import (
    compare_corpora,
    warn_unknown_words,
)
from alignscope.similarity.measures.cka import debiased_cka
from alignscope.similarity.measures.retrieval import retrieval
from alignscope.similarity.reading import UnknownWarning, read_parallel
from alignscope.similarity.representations import word_representations

VESTI, QADIR, DORUN = (f"synthetic:{name}/news" for name in ("vesti", "qadir", "dorun"))
CHAT = "synthetic:qadir/chat"
pytestmark = pytest.mark.filterwarnings("ignore::alignscope.similarity.measures.inputs.BiasWarning")


@pytest.fixture
def places(tmp_path: Path) -> DataPaths:
    return DataPaths((), tmp_path / "cache", download=False)


def table(places: DataPaths, *targets: str, **asked: Any) -> pl.DataFrame:
    return compare_corpora(
        "embedded", [VESTI, *targets], places, ComparisonConfig(limit=150, **asked)
    )


def test_every_measure_gives_rows_for_every_layer(places: DataPaths) -> None:
    found = table(places, QADIR, DORUN, measures=tuple(MEASURE_INFO), layers="1,8")
    assert found.schema == SIMILARITY
    kinds = 2 * 2 + 9  # two estimates of linear and RBF CKA
    assert len(found) == 2 * 2 * kinds
    assert set(found["n"]) == {150}
    assert found["target"].unique(maintain_order=True).to_list() == [QADIR, DORUN]
    assert (found["null_low"] < found["null_high"]).all()
    assert (found["value"] > found["null_high"]).all()
    assert not found["after_norm"].any()
    assert (found["low"] < found["value"]).all()


def test_corpora_are_read_once(places: DataPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    first = table(places, QADIR)
    monkeypatch.setattr(reader, "sentence_representations", None)
    assert table(places, QADIR).equals(first)
    assert len(list((places.cache / "representations").iterdir())) == 2


def test_words_that_translate_each_other_are_compared(places: DataPaths) -> None:
    found = table(places, QADIR, DORUN, words=True, layers="4", measures=["cka", "retrieval"])
    asked = ComparisonConfig(limit=150, words=True)
    corpora = read_parallel([VESTI, QADIR, DORUN], asked, places)
    encoder, subwords = load_model("embedded"), WordTokenizer(load_tokenizer("embedded"), 128)
    for target in (QADIR, DORUN):
        both = aligned_words(corpora[VESTI], corpora[target], ("a", "b"))
        left, right = (
            word_representations(encoder, subwords, corpora[name], words)[4]
            for name, words in zip((VESTI, target), both, strict=True)
        )
        rows = found.filter(target=target)
        assert set(rows["n"]) == {len(left)} == {sum(map(len, both[0]))}
        assert set(rows["unit"]) == {"word"}
        cka = rows.filter(estimator="debiased")["value"].item()
        assert cka == pytest.approx(debiased_cka(left, right), abs=1e-5)
        assert rows.filter(measure="retrieval")["value"].item() == retrieval(left, right)


@pytest.mark.parametrize(
    ("target", "asked", "error", "message"),
    [
        (CHAT, {}, DataError, "do not line up"),
        (QADIR, {"layers": "0-9"}, SimilarityError, "The encoder has the layers 0-8, not 0-9"),
    ],
)
def test_corpora_that_cannot_be_compared_are_refused(
    places: DataPaths, target: str, asked: dict[str, str], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        table(places, target, **asked)


def test_corpus_given_twice_is_refused(places: DataPaths) -> None:
    for targets in ((QADIR, QADIR), (DORUN, VESTI)):
        with pytest.raises(DataError, match=f"{targets[1]} is given twice"):
            table(places, *targets)


def test_many_unknown_words_give_a_warning() -> None:
    known, unknown = (
        TokenizedSentence(((1, 2),), ((0, 0, 1),) * 9, 0, 0),
        TokenizedSentence(((1,),), ((0, 0, 1),), 0, 1),
    )
    warn_unknown_words("ud:ko_pud", [known, unknown])  # one in ten; warnings are errors
    with pytest.warns(
        UnknownWarning, match="maps 18 % of the words of ud:ko_pud to its unknown token"
    ):
        warn_unknown_words("ud:ko_pud", [known, unknown, unknown])


def test_a_fine_tuned_encoder_reads_each_corpus_once(
    places: DataPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    original = reader.sentence_representations

    def counted(*given: Any) -> torch.Tensor:
        reads.append(1)
        return original(*given)

    monkeypatch.setattr(reader, "sentence_representations", counted)
    perform.execute_run(make_run(), places)
    assert len(reads) == 3 * 3  # two encoders and one with noise, three corpora


def test_corpus_of_few_sentences_is_refused(tiny_corpora: Path, tmp_path: Path) -> None:
    few = DataPaths((tiny_corpora,), tmp_path, download=False)
    with pytest.raises(
        DataError, match="ud:en_tiny has 4 test sentences, but similarity needs at least 20"
    ):
        read_parallel(["ud:en_tiny"], ComparisonConfig(), few)


def make_run(window: str | None = None, **similarity: Any) -> RunSpec:
    return RunSpec(
        encoder=EncoderSpec(name="embedded"),
        identity="embedded",
        task="pos",
        source=VESTI,
        evaluated=(VESTI,),
        window=window,
        init=None if window is None else "config",
        adapters=None if window is None else "reset",
        seed=1,
        training=TrainingConfig(epochs=1, learning_rate=5e-4),
        limits=SplitLimits(train=200, dev=20, test=20),
        similarity=SimilarityConfig(
            corpora=(QADIR, VESTI, DORUN), limit=100, measures=("cka",), layers="0,8", **similarity
        ),
    )


def test_run_compares_both_encoders_and_measures_drift(places: DataPaths, tmp_path: Path) -> None:
    run = make_run()
    check_data([run], places)
    check_encoders([run], places)
    outcome = perform.execute_run(run, places)
    assert {f"{name}/test" for name in (VESTI, QADIR, DORUN)} <= outcome.provenance["data"].keys()
    store = ResultStore(tmp_path / "store")
    store.save(outcome)
    found = run_similarity_table(store.load_results([run]))
    assert found.schema == RUN_SIMILARITY
    debiased = found.filter(estimator="debiased")
    pairs = debiased.filter(layer=0).select("state", "corpus", "target").rows()
    assert pairs == [
        *[("fine-tuned", VESTI, name) for name in (QADIR, DORUN)],
        *[("pretrained", VESTI, name) for name in (QADIR, DORUN)],
        *[("drift", name, name) for name in (VESTI, QADIR, DORUN)],
        *[("noise", name, name) for name in (VESTI, QADIR, DORUN)],
    ]
    alone = table(places, QADIR, DORUN, measures=["cka"], layers="0,8")
    same = compare_corpora(
        "embedded",
        [VESTI, QADIR],
        places,
        ComparisonConfig(limit=100, measures=("cka",), layers="0,8"),
    )
    pretrained = found.filter(state="pretrained", target=QADIR)
    assert pretrained["value"].to_list() == same["value"].to_list()
    assert alone["n"].unique().item() == 150
    drift = debiased.filter(state="drift")
    assert (drift["value"] < 1).all()
    by_layer = drift.group_by("layer").agg(pl.mean("value")).sort("layer")["value"]
    assert by_layer[0] > 0.99 > by_layer[1] > 0.2


def test_ablated_run_has_no_rows_for_the_pretrained_encoder(places: DataPaths) -> None:
    outcome = perform.execute_run(make_run("0-1", drift=False), places)
    assert {row["state"] for row in outcome.similarity} == {"fine-tuned"}
    assert not torch.tensor([row["value"] for row in outcome.similarity]).isnan().any()


def test_errors_of_similarity_are_found_before_training(places: DataPaths) -> None:
    chat = make_run().similarity.model_copy(update={"corpora": (VESTI, CHAT)})  # type: ignore[union-attr]
    with pytest.raises(DataError, match="do not line up"):
        check_data([make_run().model_copy(update={"similarity": chat})], places)
    few = make_run().similarity.model_copy(update={"measures": ("pwcca",), "limit": 60})  # type: ignore[union-attr]
    with pytest.raises(SimilarityError, match="PWCCA of 60 rows with"):
        check_encoders([make_run().model_copy(update={"similarity": few})], places)
    deep = make_run().similarity.model_copy(update={"layers": "9"})  # type: ignore[union-attr]
    with pytest.raises(StudyError, match=r"similarity.layers: .*layers 0-8, not 9"):
        check_encoders([make_run().model_copy(update={"similarity": deep})], places)


def test_study_without_similarity_has_no_similarity_table() -> None:
    with pytest.raises(
        StoreError, match=r"No run of this study has measured similarity\. Add a \[similarity\]"
    ):
        run_similarity_table([])
