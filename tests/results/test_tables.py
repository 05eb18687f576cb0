"""Results become tables only if they can be compared."""

import pytest

from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import EncoderSpec, RunSpec
from alignscope.config.study import Study
from alignscope.errors import StoreError
from alignscope.results.store import RunResult
from alignscope.results.tables import changes_table, epochs_table, scores_table


def plan(*encoders: object) -> list[RunSpec]:
    grid = {"encoders": encoders, "windows": ["0"], "tasks": {"pos": {"sources": ["ud:en_ewt"]}}}
    training = {"learning_rate": 5e-5}
    return expand(
        Study.model_validate(grid | {"training": training}),
        lambda encoder: EncoderInfo(f"{encoder.label}", 4),
    )


def outcome(run: RunSpec, precision: str = "fp32", commit: str | None = None) -> RunResult:
    row = {
        "corpus": "ud:en_ewt", "split": "test", "language": "en", "relation": "in-domain",
        "metric": "accuracy", "score": 0.5, "majority": 0.1, "sentences": 1, "words": 2,
        "windowed": 0, "cut": 0, "unknown": 0,
    }  # fmt: skip
    return RunResult(run, [row], [], {"precision": precision, "encoder": {"resolved": commit}})


def test_two_revisions_are_two_encoders() -> None:
    both = plan({"name": "x", "revision": "a"}, {"name": "x", "revision": "b"})
    table = scores_table(outcome(run) for run in both)
    assert sorted(set(table["encoder"])) == ["x@a", "x@b"]
    assert EncoderSpec(name="x").label == "x"


@pytest.mark.parametrize("other", [{"precision": "bf16"}, {"commit": "c2"}])
def test_runs_of_another_precision_or_commit_are_refused(other: dict[str, str]) -> None:
    reference, ablated = plan("x")
    assert scores_table([outcome(reference), outcome(ablated)]).height == 2
    with pytest.raises(StoreError, match=r"The pos runs of x cannot be compared: .* fp32"):
        scores_table([outcome(reference), outcome(ablated, **other)])


def test_the_relation_is_that_of_this_version() -> None:
    """Earlier versions stored another annotation scheme as another domain."""
    (run, _) = plan("x")
    ner = run.model_copy(update={"task": "ner", "source": "wikiann:en"})
    (row,) = outcome(ner).scores
    stored = [
        row | {"corpus": "uner:en_ewt", "relation": "cross-domain"},
        row | {"corpus": "/gone/en_own.tsv", "relation": "cross-domain"},
    ]
    table = scores_table([RunResult(ner, stored, [], outcome(ner).provenance)])
    assert table["relation"].to_list() == ["cross-scheme", "cross-domain"]
    assert table["domain"].to_list() == ["ewt", None]


def test_epochs_have_a_row_for_each_corpus() -> None:
    (run, _) = plan("x")
    epochs = [
        {"epoch": n, "steps": 3 * n, "loss": 1 / n, "dev_score": 0.4 + 0.1 * n, "scores": scores}
        for n, scores in ((1, {"ud:en_ewt": 0.5, "ud:de_pud": 0.2}), (2, {"ud:en_ewt": 0.6}))
    ]
    scores = [
        outcome(run).scores[0] | {"corpus": name, "metric": metric}
        for name in ("ud:en_ewt", "ud:de_pud")
        for metric in ("las", "uas")
    ]
    table = epochs_table([RunResult(run, scores, epochs, {})])
    assert table.select("epoch", "steps", "corpus", "relation", "score", "metric").rows() == [
        (1, 3, "ud:en_ewt", "in-domain", 0.5, "las"),
        (1, 3, "ud:de_pud", "cross-lingual", 0.2, "las"),
        (2, 6, "ud:en_ewt", "in-domain", 0.6, "las"),
    ]
    assert table["address"].to_list() == [run.address] * 3


def test_epochs_of_older_results_have_no_corpus() -> None:
    (run, _) = plan("x")
    epochs = [{"epoch": 1, "steps": 3, "loss": 0.5, "dev_score": 0.4}]
    (row,) = epochs_table([RunResult(run, outcome(run).scores, epochs)]).rows(named=True)
    assert (row["corpus"], row["relation"], row["score"]) == (None, None, None)
    assert (row["loss"], row["dev_score"], row["window"]) == (0.5, 0.4, "REF")


def test_changes_are_refused_where_none_were_measured() -> None:
    (run, _) = plan("x")
    with pytest.raises(StoreError, match="No run of this study has measured changes of blocks"):
        changes_table([outcome(run)])
