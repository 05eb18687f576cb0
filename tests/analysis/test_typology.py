"""Distances between languages: embedded ones, measured ones, and by a file of features."""

import importlib.util
from importlib.resources import files
from pathlib import Path
from types import ModuleType

import pytest

from alignscope.analysis.distance_correlation import Distance
from alignscope.analysis.typology import (
    builtin_features,
    feature_distance,
    language_distance,
    read_features,
)
from alignscope.data.conllu import read_conllu, write_conllu
from alignscope.data.sentence import Sentence
from alignscope.data.synthetic.distance import typological_distance
from alignscope.errors import DataError
from tests.helpers import ROOT

FEATURES = "\ufefflanguage,order,cases,note\nen,SVO,2,?\nde,,4,x\nja,SOV,10,x\nzh,SVO,NaN,y\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "features.csv"
    path.write_text(FEATURES)
    return path


def test_the_distance_is_the_mean_over_features_known_of_both(file: Path) -> None:
    distance = language_distance(["en", "de", "ja", "zh"], file)
    assert distance is not None
    assert distance("en", "de") == pytest.approx(2 / 8)
    assert distance("en", "ja") == pytest.approx((1 + 8 / 8) / 2)
    assert distance("de", "ja") == pytest.approx((6 / 8 + 0) / 2)
    assert distance("en", "zh") == 0 == distance("ja", "ja")


def test_synthetic_languages_are_compared_by_their_descriptions() -> None:
    assert language_distance(["vesti", "qadir"], None) is typological_distance
    assert language_distance(["vesti", "en"], None) is None
    assert language_distance([], None) is typological_distance


def test_a_name_that_ends_in_tsv_is_read_as_tsv(tmp_path: Path) -> None:
    path = tmp_path / "features.tsv"
    path.write_text(FEATURES.replace(",", "\t"))
    assert read_features(path)["ja"] == {"order": "SOV", "cases": "10", "note": "x"}


def test_a_constant_number_contributes_nothing() -> None:
    known = {"a": {"n": "3", "x": "1"}, "b": {"n": "3", "x": "2"}, "c": {"n": "", "x": ""}}
    assert feature_distance(known)("a", "b") == 1
    with pytest.raises(DataError, match="a and c have no known feature in common"):
        feature_distance(known)("a", "c")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "needs a column language"),
        ("lang,order\nen,SVO\n", "needs a column language"),
        ("language\nen\n", "at least one column with a feature"),
        ("language,order\nen,SVO\nen,SOV\n", "has the language en twice"),
        ("language,order\nde,SVO\n", "has no features of en. It has de"),
    ],
)
def test_unusable_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "features.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        language_distance(["en"], path)
    with pytest.raises(DataError, match="cannot be read"):
        language_distance(["en"], tmp_path / "none.csv")


PACKAGED = files("alignscope.analysis") / "typology.tsv"
SHARES = [
    "object_after_verb", "subject_before_verb", "oblique_after_verb", "auxiliary_before_verb",
    "adposition_before_noun", "adjective_before_noun", "genitive_after_noun",
    "relative_after_noun", "determined_nouns", "case_marked_nouns", "sentences_with_subject",
]  # fmt: skip


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script that measured the built-in table."""
    path = ROOT / "studies" / "typology.py"
    spec = importlib.util.spec_from_file_location("measure_typology", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured() -> Distance:
    """The distance from the built-in table."""
    distance = language_distance(builtin_features(), None)
    assert distance is not None
    return distance


def languages_where(feature: str, *, above: float) -> set[str]:
    return {name for name, row in builtin_features().items() if float(row[feature]) > above}


def test_every_measured_language_has_every_feature() -> None:
    table = builtin_features()
    assert len(table) == 18
    for row in table.values():
        assert [*row] == [*SHARES, "words_per_english_word", "forms_per_word", "script"]
        assert all(row.values())
        assert all(0 <= float(row[feature]) <= 1 for feature in [*SHARES, "forms_per_word"])
        assert 0.5 < float(row["words_per_english_word"]) < 1.5
    assert float(table["en"]["words_per_english_word"]) == 1


def test_word_orders_agree_with_textbooks() -> None:
    last = {"hi", "ja", "ko", "tr"}
    every = {*builtin_features()}
    assert every - languages_where("object_after_verb", above=0.3) == last
    # German has its objects after verbs that come second, before those that come last.
    assert languages_where("object_after_verb", above=0.7) == every - last - {"de"}
    assert every - languages_where("subject_before_verb", above=0.5) == {"ar"}
    assert every - languages_where("adposition_before_noun", above=0.3) == last | {"fi"}
    assert languages_where("adposition_before_noun", above=0.9) == every - last - {"fi", "zh"}
    romance = {"es", "fr", "it", "pt"}
    assert every - languages_where("adjective_before_noun", above=0.5) == romance | {"ar", "id"}
    assert every - languages_where("relative_after_noun", above=0.5) == {"ja", "ko", "tr", "zh"}
    # Of the languages with articles, Arabic and Swedish write the definite one as an affix.
    assert languages_where("determined_nouns", above=0.5) == romance | {"de", "en"}


def test_scripts() -> None:
    found = {name: row["script"] for name, row in builtin_features().items()}
    others = {name: kind for name, kind in found.items() if kind != "LATIN"}
    assert others == {
        "ar": "ARABIC", "hi": "DEVANAGARI", "ja": "HIRAGANA", "ko": "HANGUL", "ru": "CYRILLIC",
        "zh": "HAN",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("language", "kin", "stranger"),
    [
        ("es", "pt", "ja"), ("it", "fr", "de"), ("cs", "pl", "de"), ("ru", "pl", "fr"),
        ("sv", "en", "fi"), ("de", "sv", "ar"), ("ko", "ja", "zh"), ("fr", "ru", "hi"),
    ],
)  # fmt: skip
def test_related_languages_are_nearer(language: str, kin: str, stranger: str) -> None:
    distance = measured()
    assert distance(language, kin) < distance(language, stranger)


def test_builtin_distances_do_not_depend_on_the_other_languages_of_a_study() -> None:
    distance, among_all = language_distance(["es", "pt"], None), measured()
    assert distance is not None
    assert distance("es", "pt") == distance("pt", "es") == among_all("es", "pt")
    assert distance("es", "es") == 0


def test_a_language_that_was_not_measured_has_no_distance() -> None:
    assert language_distance(["en", "xx"], None) is None
    assert language_distance(["en", "vesti"], None) is None


def test_a_file_is_preferred_to_builtin_features(file: Path) -> None:
    given = language_distance(["en", "de"], file)
    assert given is not None
    assert given("en", "de") == 2 / 8 != measured()("en", "de")


DOGS = Sentence(
    words=("Die", "Hunde", "von", "Prag", "sehen", "CIA", "."), id="a",
    upos=("DET", "NOUN", "ADP", "PROPN", "VERB", "PROPN", "PUNCT"),
    heads=(2, 5, 4, 2, 0, 5, 5),
    relations=("det", "nsubj:pass", "case", "nmod", "root", "obj", "punct"),
)  # fmt: skip
SAW = Sentence(
    words=("Katzen", "jagt", "sie"), id="b",
    upos=("NOUN", "VERB", "PRON"), heads=(2, 0, 2), relations=("obj", "root", "nsubj"),
)  # fmt: skip


def test_shares_counted_by_hand(script: ModuleType) -> None:
    found = script.features_of([*[DOGS] * 20, *[SAW] * 5], [DOGS, SAW])
    assert found == {
        "object_after_verb": "0.800",
        "subject_before_verb": "1.000",  # sie is a pronoun
        "oblique_after_verb": "",
        "auxiliary_before_verb": "",
        "adposition_before_noun": "1.000",
        "adjective_before_noun": "",
        "genitive_after_noun": "1.000",
        "relative_after_noun": "",
        "determined_nouns": "0.800",  # of Hunde and Katzen, names left out
        "case_marked_nouns": f"{20 / 65:.3f}",
        "sentences_with_subject": "1.000",
        "words_per_english_word": "1.000",
        "forms_per_word": f"{9 / (20 * 6 + 5 * 3):.3f}",
        "script": "LATIN",
    }
    assert {*script.features_of([DOGS] * 19, [DOGS]).values()} >= {"", "LATIN"}
    assert script.features_of([DOGS] * 19, [DOGS])["object_after_verb"] == ""


def test_words_are_counted_in_shared_sentences(script: ModuleType) -> None:
    assert script.words_per_word([DOGS, SAW], [SAW]) == "1.000"
    assert script.words_per_word([DOGS], [SAW]) == ""
    longer = Sentence(SAW.words + SAW.words, id="b", upos=("X",) * 6)
    assert script.words_per_word([DOGS, longer], [SAW]) == "2.000"


@pytest.mark.parametrize(
    ("relations", "share"),
    [(("acl", "root", "acl"), "0.500"), (("acl:relcl", "root", "acl"), "0.000")],
)
def test_clauses_count_as_relative_where_treebanks_do_not_tell(
    script: ModuleType, relations: tuple[str, ...], share: str
) -> None:
    clauses = Sentence(("a", "b", "c"), upos=("VERB", "NOUN", "VERB"), heads=(2, 0, 2),
                       relations=relations)  # fmt: skip
    arcs = [arc for _ in range(20) for arc in script.arcs_of(clauses)]
    assert script.relative(arcs).of(arcs) == share


def test_the_script_prints_a_table_that_can_be_read(
    script: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, sentences in {"en": [DOGS] * 20, "de": [DOGS, SAW] * 20}.items():
        (tmp_path / "ud" / f"{name}_pud").mkdir(parents=True)
        write_conllu(sentences, tmp_path / "ud" / f"{name}_pud" / "test.conllu.gz")
    monkeypatch.setattr("sys.argv", ["typology.py", "--data", str(tmp_path)])
    script.main()
    (tmp_path / "table.tsv").write_text(capsys.readouterr().out)
    table = read_features(tmp_path / "table.tsv")
    assert [*table] == ["de", "en"]
    assert [row["object_after_verb"] for row in table.values()] == ["0.500", "1.000"]
    assert feature_distance(table)("de", "en") > 0


def test_the_script_needs_english(
    script: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["typology.py", "--data", str(tmp_path)])
    with pytest.raises(SystemExit):
        script.main()
    assert "no en_pud" in capsys.readouterr().err


def test_a_packaged_row_is_what_the_script_measures(script: ModuleType, real_data: Path) -> None:
    paths = [real_data / "ud" / f"{name}_pud" / "test.conllu.gz" for name in ("tr", "en")]
    if not all(path.exists() for path in paths):
        pytest.skip("no Parallel UD at hand")
    assert script.features_of(*map(read_conllu, paths)) == builtin_features()["tr"]


@pytest.mark.slow
def test_the_packaged_table_is_what_the_script_measures(
    script: ModuleType, real_data: Path
) -> None:
    found = script.treebanks(real_data)
    if {*found} != {*builtin_features()}:
        pytest.skip("the treebanks at hand are not those of the table")
    assert script.table(found) == PACKAGED.read_text(encoding="utf-8")
