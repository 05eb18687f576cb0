"""Durations and sizes as text."""


def format_size(count: float) -> str:
    """Return a number of bytes as text.

    >>> format_size(2_000), format_size(3_500_000), format_size(5e9)
    ('2 KiB', '3.3 MiB', '4.7 GiB')
    """
    if count < 2**20:
        return f"{count / 2**10:.0f} KiB"
    return f"{count / 2**20:.1f} MiB" if count < 2**30 else f"{count / 2**30:.1f} GiB"


def format_duration(seconds: float) -> str:
    """Return a number of seconds as text.

    >>> format_duration(42), format_duration(150), format_duration(9000)
    ('42 s', '2 min 30 s', '2 h 30 min')
    >>> format_duration(59.7)
    '1 min 0 s'
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
