"""The long tables: one row per fact, the same columns whatever the study."""

import polars as pl

RUN_COLUMNS = {
    "address": pl.String,
    "encoder": pl.String,
    "task": pl.String,
    "source": pl.String,
    "window": pl.String,  # "REF" for the run without a window
    "init": pl.String,  # null for REF
    "adapters": pl.String,
    "seed": pl.Int64,
}

SCORES = {
    **RUN_COLUMNS,
    "corpus": pl.String,
    "split": pl.String,
    "language": pl.String,
    "relation": pl.String,  # in-domain, cross-domain or cross-lingual
    "metric": pl.String,
    "score": pl.Float64,  # fraction 0-1
    "majority": pl.Float64,  # the same score for the source's majority classes
    "sentences": pl.Int64,
    "words": pl.Int64,
    "windowed": pl.Int64,  # sentences longer than the encoder's input, read in pieces
    "cut": pl.Int64,  # words longer than that, read up to there
    "unknown": pl.Int64,  # words read as the unknown token
}

RUNS = {
    **RUN_COLUMNS,
    "status": pl.String,  # done, failed or missing
    "best_epoch": pl.Int64,  # from 1
    "dev_score": pl.Float64,  # on the source's dev split, of the task's first metric
    "steps": pl.Int64,
    "seconds": pl.Float64,
    "reason": pl.String,  # why it failed
}

EFFECTS = {
    "encoder": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "source": pl.String,
    "init": pl.String,
    "window": pl.String,
    "seeds": pl.Int64,  # seeds that have both REF and this window
    **{
        f"{where}_{what}": kind
        for where in ("source", "targets", "domains")
        for what, kind in (("mean", pl.Float64), ("std", pl.Float64), ("corpora", pl.Int64))
    },
}

CONTRASTS = {
    "encoder": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "source": pl.String,  # "all" for every source and seed together
    "init": pl.String,
    "window": pl.String,
    "seeds": pl.Int64,  # with REF and this window; of source "all": for every source
    **{
        f"{what}_{part}": pl.Float64  # a fraction; low and high are the ends of its interval
        for what in ("source", "targets", "contrast")
        for part in ("mean", "low", "high")
    },
}

INTERVALS = {
    "encoder": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "source": pl.String,
    "init": pl.String,
    "window": pl.String,
    "on": pl.String,  # source, targets, domains, a contrast of them, or the name of a corpus
    "seeds": pl.Int64,
    "corpora": pl.Int64,  # over which, and over seeds, the mean is taken
    "mean": pl.Float64,  # effect, a fraction
    "low": pl.Float64,  # 95 % interval; null for a single seed
    "high": pl.Float64,
    "p": pl.Float64,  # of no effect
    "p_holm": pl.Float64,  # corrected for all windows, sources and (of single corpora) corpora
}

DISTANCES = {
    "encoder": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "source": pl.String,
    "targets": pl.Int64,
    "spearman": pl.Float64,  # of REF's zero-shot score and the distance to the source
    "low": pl.Float64,  # 95 % interval over targets; null where it is not defined
    "high": pl.Float64,
}

CLAIMS = {
    "encoder": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "source": pl.String,
    "init": pl.String,  # of the window; null where the claim is about none
    "window": pl.String,
    "claim": pl.String,
    "says": pl.String,
    "statistic": pl.String,
    "value": pl.Float64,  # effects are fractions
    "low": pl.Float64,  # 95 % interval; null where there is none
    "high": pl.Float64,
    "sign": pl.String,  # supported where all of the interval is < or > the threshold
    "threshold": pl.Float64,
    "verdict": pl.String,  # supported, contradicted or undecided
}

DRIFT = {
    "encoder": pl.String,
    "task": pl.String,
    "source": pl.String,
    "measure": pl.String,
    "estimator": pl.String,
    "layer": pl.Int64,  # 0 = embeddings, i + 1 = after block i
    "seeds": pl.Int64,
    "corpora": pl.Int64,
    "mean": pl.Float64,  # similarity of before and after fine-tuning; 1 = left as it was
    "low": pl.Float64,  # 95 % interval over seeds and corpora; null for a single seed
    "high": pl.Float64,
}

BOUNDARIES = {
    "encoder": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "source": pl.String,
    "init": pl.String,
    "windows": pl.Int64,
    "block": pl.Int64,  # the first that predicts; null where it cannot be told: see reason
    "low": pl.Int64,  # blocks between which 95 % of its distribution lie
    "high": pl.Int64,
    "p": pl.Float64,  # how often windows in a random order rise as much
    "shares": pl.String,  # its distribution, such as 2:0.13 4:0.87
    "reason": pl.String,
}

GAPS = {
    "encoder": pl.String,
    "task": pl.String,
    "metric": pl.String,
    "source": pl.String,
    "state": pl.String,  # pretrained or fine-tuned: where the similarity was measured
    "measure": pl.String,
    "estimator": pl.String,
    "layer": pl.Int64,
    "targets": pl.Int64,  # languages that have both a similarity and a gap
    "spearman": pl.Float64,  # of similarity to the source and gap to it; below 0: alike, small gap
    "low": pl.Float64,  # 95 % interval over targets; null where it is not defined
    "high": pl.Float64,
    "p": pl.Float64,  # by permutation
    "p_holm": pl.Float64,  # corrected for the layers of a curve
    "pearson": pl.Float64,
    "partial": pl.Float64,  # Spearman's, with the distance between the languages given
    "partial_low": pl.Float64,
    "partial_high": pl.Float64,
    "partial_p": pl.Float64,
    "partial_p_holm": pl.Float64,
}

ESTIMATES = {
    "split": pl.String,
    "unit": pl.String,  # sentence or word
    "pooling": pl.String,  # how sub-words become the vector of a unit
    "target": pl.String,
    "layer": pl.Int64,  # 0 = embeddings, i + 1 = after block i
    "after_norm": pl.Boolean,  # whether the layer is after the norm at the end of the encoder
    "n": pl.Int64,  # units compared
    "measure": pl.String,
    "estimator": pl.String,  # debiased, biased (drawn upwards by few units) or plain (neither)
    "value": pl.Float64,  # debiased CKA may be below 0
    "low": pl.Float64,  # 95 % interval for other units
    "high": pl.Float64,
    "null_low": pl.Float64,  # where 95 % of random pairings of the same units lie
    "null_high": pl.Float64,
}

SIMILARITY = {"encoder": pl.String, "source": pl.String, **ESTIMATES}

RUN_SIMILARITY = {
    **RUN_COLUMNS,
    "state": pl.String,  # pretrained, fine-tuned, or drift from the one to the other
    "corpus": pl.String,  # the parallel corpus in the source's language; of drift: any
    **ESTIMATES,
}


def to_frame(rows: list[dict[str, object]], schema: dict[str, type[pl.DataType]]) -> pl.DataFrame:
    """Turn rows into a table of exactly these columns; a missing or extra key is an error."""
    for row in rows:
        if row.keys() != schema.keys():
            raise ValueError(f"columns {sorted(row)} where {sorted(schema)} are due")
    return pl.DataFrame(rows, schema=schema)
