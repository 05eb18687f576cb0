"""CSV and Parquet files are exact; Markdown and LaTeX are well-formed and in points."""

import io
import re
import struct
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from alignscope.report.tables.export import export_table, latex, markdown
from alignscope.results.schemas import RUNS, SCORES, SUMMARY, to_frame

SCHEMAS = {"summary": SUMMARY, "scores": SCORES, "runs": RUNS}
NASTY = "a|b & 50% $x$ #1 _y_ {z} ~ ^ \\ −1"
LATEX_ONE = re.compile(
    r"a\|b \\& 50\\% \\\$x\\\$ \\#1 \\_y\\_ \\\{z\\\} \\textasciitilde\{\} "
    r"\\textasciicircum\{\} \\textbackslash\{\} \$-\$1"
)


def row(schema: dict[str, Any], **values: Any) -> dict[str, Any]:
    assert values.keys() <= schema.keys()
    blank = {name: "x" if kind == pl.String else 1 for name, kind in schema.items()}
    return {**blank, **values}


def summary() -> pl.DataFrame:
    none = {f"domains_{what}": None for what in ("mean", "std", "corpora")}
    base = {**none, "encoder": "enc", "task": "pos", "metric": "accuracy", "source": "ud:en_a"}
    return to_frame(
        [
            row(SUMMARY, **base, window="majority", init=None, seeds=1, source_mean=0.4,
                source_std=None, targets_mean=0.389, targets_std=None),
            row(SUMMARY, **base, window="REF", init=None, seeds=3, source_mean=0.861,
                source_std=0.003, targets_mean=1.0, targets_std=0.0),
            row(SUMMARY, **base, window="0-1", init="config", seeds=2, source_mean=-0.31,
                source_std=None, targets_mean=0.0125, targets_std=0.1),
        ],
        SUMMARY,
    )  # fmt: skip


FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(FLOATS, st.text("abc|,\"'é \n", min_size=1)), max_size=5))
def test_csv_is_read_back_exactly(values: list[tuple[float, str]]) -> None:
    rows = [row(SCORES, score=number, encoder=text, init=None) for number, text in values]
    table = to_frame(rows, SCORES)
    back = pl.read_csv(io.BytesIO(export_table("scores", table, "csv")), schema=SCORES)
    assert_frame_equal(back, table, check_exact=True)
    assert bits(back["score"]) == bits(table["score"])


def bits(column: pl.Series) -> list[bytes]:
    """Every number bit for bit; −0.0 and 0.0 differ."""
    return [struct.pack(">d", value) for value in column]


@given(st.lists(st.tuples(FLOATS, st.text()), max_size=5))
def test_parquet_is_read_back_exactly(values: list[tuple[float, str]]) -> None:
    rows = [row(SCORES, score=number, encoder=text, init=None) for number, text in values]
    table = to_frame(rows, SCORES)
    back = pl.read_parquet(io.BytesIO(export_table("scores", table, "parquet")))
    assert_frame_equal(back, table, check_exact=True)
    assert back.schema == table.schema


def test_csv_has_fractions_and_all_columns() -> None:
    lines = export_table("summary", summary(), "csv").decode().splitlines()
    assert lines[0].split(",") == list(SUMMARY)
    assert ",0.861,0.003," in lines[2]
    assert ",-0.31,," in lines[3]


def cells(text: str) -> list[list[str]]:
    """The cells of a Markdown table, header first."""
    lines = [line for line in text.splitlines() if not set(line) <= set("|-")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_markdown_has_signed_points_with_standard_deviations() -> None:
    header, majority, ref, window = cells(export_table("summary", summary(), "md").decode())
    assert header == [
        *("task", "metric", "source", "window", "on source", "on targets", "on domains", "seeds")
    ]
    assert majority[3:] == ["majority", "40.0", "38.9", "", ""]
    assert ref[3:] == ["REF", "86.1 ± 0.3", "100.0 ± 0.0", "", "3"]
    assert window[3:] == ["Δ 0-1", "−31.0", "+1.2 ± 10.0", "", "2"]


def test_several_encoders_and_inits_have_columns() -> None:
    several = summary().with_columns(
        encoder=pl.Series(["a", "b", "b"]), init=pl.Series([None, "config", "torch-default"])
    )
    header, *rows = cells(export_table("summary", several, "md").decode())
    assert [row[header.index("encoder")] for row in rows] == ["a", "b", "b"]
    assert [row[header.index("init")] for row in rows] == ["", "config", "torch-default"]


def test_scores_are_in_points_and_seconds_are_not() -> None:
    header, only = cells(
        export_table("scores", to_frame([row(SCORES, score=0.3, words=7)], SCORES), "md").decode()
    )
    shown = dict(zip(header, only, strict=True))
    assert (shown["score"], shown["words"], shown["majority"]) == ("30.0", "7", "100.0")
    done = row(RUNS, dev_score=0.5, seconds=12.34, reason=None)
    header, only = cells(export_table("runs", to_frame([done], RUNS), "md").decode())
    shown = dict(zip(header, only, strict=True))
    assert (shown["dev_score"], shown["seconds"], shown["reason"]) == ("50.0", "12.3", "")


def test_markdown_is_aligned_and_escaped() -> None:
    text = markdown(pl.DataFrame({"a": ["x|y", "long cell"], "bb": ["1", ""]}))
    assert text == (
        "| a         | bb |\n"
        "|-----------|----|\n"
        "| x\\|y      | 1  |\n"
        "| long cell |    |\n"
    )  # fmt: skip


def test_latex_escapes_special_characters() -> None:
    text = latex(pl.DataFrame({"name": [NASTY]}))
    assert LATEX_ONE.search(text)


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_latex_is_a_booktabs_tabular(name: str, count: int) -> None:
    schema = SCHEMAS[name]
    tables = [row(schema, encoder=NASTY) for _ in range(count)]
    lines = export_table(name, to_frame(tables, schema), "latex").decode().splitlines()
    begin = re.fullmatch(r"\\begin\{tabular\}\{(l+)\}", lines[0])
    assert begin is not None
    assert [lines[1], lines[3], *lines[-2:]] == [
        *("\\toprule", "\\midrule", "\\bottomrule", "\\end{tabular}"),
    ]
    content = [lines[2], *lines[4:-2]]
    assert len(content) == 1 + count
    for line in content:
        assert line.endswith(r" \\")
        assert len(re.findall(r"(?<!\\)&", line)) == len(begin[1]) - 1
        plain = re.sub(r"\\[&%$#_{}]|\$[^$]*\$|\\text\w+\{\}", "", line.removesuffix(r" \\"))
        assert not set(plain) & set("\\%$#_{}~^−±Δ")


def test_latex_sets_signs_in_math_mode() -> None:
    text = export_table("summary", summary(), "latex").decode()
    assert r"$\Delta$ 0-1 & $-$31.0 & +1.2 $\pm$ 10.0 &  & 2 \\" in text
    assert r"REF & 86.1 $\pm$ 0.3 & 100.0 $\pm$ 0.0 &  & 3 \\" in text


@pytest.mark.parametrize("form", ["csv", "md", "latex", "parquet"])
@pytest.mark.parametrize("name", SCHEMAS)
def test_an_empty_table_has_a_header(form: str, name: str) -> None:
    assert b"source" in export_table(name, to_frame([], SCHEMAS[name]), form)


@pytest.mark.parametrize("wrong", [{"extra": 1}, {}])
def test_a_frame_has_exactly_the_columns_of_its_schema(wrong: dict[str, Any]) -> None:
    rows = [row(SCORES) | wrong]
    if not wrong:
        del rows[0]["metric"]
    with pytest.raises(ValueError, match="Expected the columns"):
        to_frame(rows, SCORES)
