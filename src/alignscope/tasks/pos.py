"""Part-of-speech tagging: the universal part of speech (UPOS) of every word."""

from alignscope.tasks.tagging import TokenTagging


class PosTagging(TokenTagging):
    """Universal parts of speech, scored by accuracy over words, punctuation included.

    >>> from alignscope.data.sentence import Sentence
    >>> gold = Sentence(words=("Dogs", "bark"), upos=("NOUN", "VERB"))
    >>> wrong = Sentence(words=("Dogs", "bark"), upos=("NOUN", "NOUN"))
    >>> PosTagging().score([gold], [wrong])
    {'accuracy': 0.5}
    """

    name = "pos"
    annotation = "upos"
