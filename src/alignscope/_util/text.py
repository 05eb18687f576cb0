"""Durations and sizes as text."""


def format_size(count: float) -> str:
    """Bytes as a person says them.

    >>> format_size(2_000), format_size(3_500_000), format_size(5e9)
    ('2 KiB', '3.3 MiB', '4.7 GiB')
    """
    if count < 2**20:
        return f"{count / 2**10:.0f} KiB"
    return f"{count / 2**20:.1f} MiB" if count < 2**30 else f"{count / 2**30:.1f} GiB"


def format_duration(seconds: float) -> str:
    """Seconds as a person says them.

    >>> format_duration(42), format_duration(150), format_duration(9000)
    ('42 s', '2 min 30 s', '2 h 30 min')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min {seconds % 60:.0f} s"
    return f"{seconds // 3600:.0f} h {seconds % 3600 // 60:.0f} min"
