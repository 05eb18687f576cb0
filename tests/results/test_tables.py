"""Results become tables only if they can be compared."""

import pytest

from alignscope.config.grid import EncoderInfo, expand
from alignscope.config.run import EncoderSpec, RunSpec
from alignscope.config.study import Study
from alignscope.errors import StoreError
from alignscope.results.store import RunResult
from alignscope.results.tables import scores_table


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
