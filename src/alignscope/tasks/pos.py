"""Part-of-speech tagging: the universal part of speech (UPOS) of every word."""

from collections.abc import Sequence

from alignscope.data.sentence import Sentence
from alignscope.tasks.annotations import get_annotation, pair_sentences, ratio
from alignscope.tasks.tagging import TokenTagging


class PosTagging(TokenTagging):
    """Universal parts of speech, scored by accuracy over words.

    >>> gold = Sentence(words=("Dogs", "bark"), upos=("NOUN", "VERB"))
    >>> wrong = Sentence(words=("Dogs", "bark"), upos=("NOUN", "NOUN"))
    >>> PosTagging().score([gold], [wrong])
    {'accuracy': 0.5}
    """

    name = "pos"
    needs: tuple[str, ...] = ("upos",)
    metrics: tuple[str, ...] = ("accuracy",)

    def score(self, gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> dict[str, float]:
        """Return the accuracy over all words, punctuation included.

        Raises:
            ValueError: if gold and predicted do not have the same words.
            DataError: if there are no words, or a sentence has no UPOS.
        """
        agree = [
            one == other
            for sentence, prediction in pair_sentences(gold, predicted)
            for one, other in zip(
                get_annotation(sentence, self.field),
                get_annotation(prediction, self.field),
                strict=True,
            )
        ]
        return {"accuracy": ratio(sum(agree), len(agree))}
