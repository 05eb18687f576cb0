"""Named entity recognition with IOB2 tags."""

from collections.abc import Sequence

from alignscope.data.sentence import Sentence
from alignscope.tasks.annotations import get_annotation, pair_sentences
from alignscope.tasks.spans import span_f1
from alignscope.tasks.tagging import TokenTagging


class NamedEntityRecognition(TokenTagging):
    """Entity spans, scored by micro F1.

    >>> gold = Sentence(words=("Ada", "Lovelace", "wrote"), entities=("B-PER", "I-PER", "O"))
    >>> loose = Sentence(words=("Ada", "Lovelace", "wrote"), entities=("I-PER", "I-PER", "O"))
    >>> NamedEntityRecognition().score([gold], [loose])
    {'f1': 1.0, 'f1_strict': 0.0}

    The majority tag is ``O`` in any real corpus, so the majority baseline finds nothing and its
    F1 is 0.
    """

    name = "ner"
    annotation = "entities"
    metrics: tuple[str, ...] = ("f1", "f1_strict")

    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        """Return micro F1 over spans in both readings of ``spans``; 0 if there is no span at all.

        A gold span of a type that the source does not know counts as one not found.

        Raises:
            ValueError: if gold and predicted do not have the same words, or a tag is not IOB2.
            DataError: if a sentence has no entities.
        """
        tags = [
            (get_annotation(sentence, self.annotation), get_annotation(prediction, self.annotation))
            for sentence, prediction in pair_sentences(gold, predicted)
        ]
        return {"f1": span_f1(tags, strict=False), "f1_strict": span_f1(tags, strict=True)}
