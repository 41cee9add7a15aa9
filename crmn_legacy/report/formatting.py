"""How values of files that nobody vouches for are printed: short, printable, never a failure."""

import math
import statistics

from crmn_legacy.errors import printable

NOT_RECORDED = "not recorded"

_LONGEST_TEXT = 400
_MOST_ENTRIES = 64
# Beyond it sums of squares overflow, and nothing that was measured lies there.
_LARGEST_NUMBER = 1e100


def text(value):
    """What a page says for a value of unknown kind: short, printable, never a failure.

    Parameters
    ----------
    value : object
        As JSON gave it.

    Returns
    -------
    str
        `NOT_RECORDED` for None and for what is empty or blank.
    """
    if value is None:
        return NOT_RECORDED
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        words = "; ".join(f"{name} = {_entry(entry)}" for name, entry in list(value.items())[:_MOST_ENTRIES])
    elif isinstance(value, list):
        words = " ".join(_short(entry) for entry in value[:_MOST_ENTRIES])
    else:
        words = _short(value)
    if not words or words.isspace():
        return NOT_RECORDED
    words = printable(words)
    return words if len(words) <= _LONGEST_TEXT else f"{words[: _LONGEST_TEXT - 1]}…"


def _entry(value):
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        entries = list(value.items())[:_MOST_ENTRIES]
        return "(" + ", ".join(f"{name} = {_short(entry)}" for name, entry in entries) + ")"
    return _short(value)


def _short(value):
    try:
        return str(value)[: _LONGEST_TEXT + 1]
    except (ValueError, RecursionError):  # an integer of thousands of digits; lists without end
        return "a value too long to print"


def number(value):
    """A float of less than a hundred digits, or None for whatever is none (NaN and truth values among it)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        value = float(value)
    except OverflowError:
        return None
    return value if abs(value) <= _LARGEST_NUMBER else None


def whole(value):
    """An integer that fits 64 bits, or None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64 else None


def significant(value, digits=4):
    """A number to so many significant digits: ``0.2115``, ``1.842``, ``2.5e-07``; `NOT_RECORDED` for None."""
    return NOT_RECORDED if value is None else f"{value:.{digits}g}"


def percent(value):
    """A fraction as the tables print it, ``15.45``; `NOT_RECORDED` for None."""
    return NOT_RECORDED if value is None else hundredths(100 * value)


def hundredths(value, sign=""):
    """A number with two decimals, ``5.04``; with `sign` ``+`` its sign always, as a minus and no hyphen."""
    form = f"{sign}.2f" if abs(value) < 1e8 else f"{sign}.4g"
    return format(value, form).replace("-", "\u2212")


def mean_and_deviation(values):
    """The mean of numbers and the deviation of a sample (n - 1), ``10.66 ± 0.37``; the number alone if there is one."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return f"{mean:.4g}"
    deviation = statistics.stdev(values)
    if not 1e-9 < deviation < 1e9:
        return f"{mean:.4g} ± {deviation:.2g}"
    # Two digits of the deviation; the mean is known no better.
    decimals = max(0, 1 - math.floor(math.log10(deviation)))
    return f"{mean:.{decimals}f} ± {deviation:.{decimals}f}"


def count(value):
    """A count with its thousands apart, ``2,700,580``; `NOT_RECORDED` for what is none."""
    value = whole(value)
    return NOT_RECORDED if value is None else f"{value:,}"


def duration(value):
    """Seconds in words: ``24 min 56 s``; `NOT_RECORDED` for what is no duration."""
    seconds = number(value)
    if seconds is None or not 0 <= seconds < 1e10:
        return NOT_RECORDED
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes} min" if hours else f"{minutes} min {seconds} s"
