"""The columns that identify a result, and the names of relations in tables."""

RUN_KEYS = ("encoder", "task", "metric", "source", "setting")
"""The columns that identify the runs whose seeds belong together."""

SIMILARITY_KEYS = tuple(name for name in RUN_KEYS if name != "metric")
"""The same for similarities, which have no metric."""

WINDOW_KEYS = (*RUN_KEYS, "init", "window")
"""The columns that identify an effect."""

RELATION_LABELS = {"in-domain": "source", "cross-lingual": "targets", "cross-domain": "domains"}
"""The name in tables of the corpora that have a relation to the source."""

MAJORITY = "majority"
"""The name of the majority baseline in the column ``window``."""
