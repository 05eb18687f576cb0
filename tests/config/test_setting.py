"""The text of a setting, and its short form."""

import pytest

from alignscope.config.setting import setting_label, short_settings


def test_different_settings_have_different_labels() -> None:
    rates = (5e-5, 5.0000001e-5, 1e-4, 0.5)
    labels = {
        setting_label(rate, head, epochs, train)
        for rate in rates
        for head in rates
        for epochs in (1, 3)
        for train in (None, 1, 500)
    }
    assert len(labels) == 4 * 4 * 2 * 3
    assert "lr 5e-5, head lr 5.0000001e-5, 1 epoch, 1 sentence" in labels


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], []),
        ([("a", "pos", (1, 1))], [""]),
        ([("a", "pos", (1, 1)), ("a", "pos", (2, 1))], ["lr 1.0", "lr 2.0"]),
        ([("a", "pos", (1, 1)), ("b", "pos", (2, 1))], ["", ""]),
        (
            [("a", "pos", (1, 1)), ("a", "pos", (2, 2)), ("b", "ner", (3, 2))],
            ["lr 1.0, 1 epoch", "lr 2.0, 2 epochs", "lr 3.0, 2 epochs"],
        ),
    ],
    ids=["none", "one", "rates", "encoders", "two parts"],
)
def test_short_labels_have_what_varies_within_a_task_of_an_encoder(
    settings: list[tuple[str, str, tuple[int, int]]], expected: list[str]
) -> None:
    rows = [
        (encoder, task, setting_label(rate, 0.1, epochs, None))
        for encoder, task, (rate, epochs) in settings
    ]
    found = short_settings(rows)
    assert [found[label] for *_, label in rows] == expected
