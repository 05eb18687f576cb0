"""Named entity recognition with IOB2 tags."""

from collections.abc import Sequence

from alignscope.data.sentence import Sentence
from alignscope.tasks.annotations import get_annotation, pair_sentences
from alignscope.tasks.spans import span_counts, span_f1
from alignscope.tasks.tagging import TokenTagging


class NamedEntityRecognition(TokenTagging):
    """Entity spans, scored by micro F1.

    >>> gold = Sentence(words=("Ada", "Lovelace", "wrote"), entities=("B-PER", "I-PER", "O"))
    >>> loose = Sentence(words=("Ada", "Lovelace", "wrote"), entities=("I-PER", "I-PER", "O"))
    >>> NamedEntityRecognition().score([gold], [loose])
    {'f1': 1.0, 'f1_strict': 0.0}

    In real corpora the majority tag is ``O``. The majority baseline then predicts no entity, and
    its F1 is 0.
    """

    name = "ner"
    annotation = "entities"
    metrics: tuple[str, ...] = ("f1", "f1_strict")

    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        """Return the micro F1 over spans, lenient and strict (``iob2_to_spans``); 0 without spans.

        A gold span whose type does not occur in the source counts as missed.

        Raises:
            ValueError: if gold and predicted do not have the same words, or a tag is not IOB2.
            DataError: if a sentence has no entities.
        """
        tags = self._tags(gold, predicted)
        return {"f1": span_f1(tags, strict=False), "f1_strict": span_f1(tags, strict=True)}

    def sentence_counts(
        self, gold: Sequence[Sentence], predicted: Sequence[Sentence]
    ) -> list[tuple[int, int]]:
        """Return twice the correct spans, and the gold and predicted spans, of every sentence."""
        return span_counts(self._tags(gold, predicted), strict=False)

    def _tags(
        self, gold: Sequence[Sentence], predicted: Sequence[Sentence]
    ) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        return [
            (get_annotation(sentence, self.annotation), get_annotation(prediction, self.annotation))
            for sentence, prediction in pair_sentences(gold, predicted)
        ]
