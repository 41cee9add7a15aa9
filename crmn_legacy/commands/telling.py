"""What a command has to say: lines, as it finds them, or one JSON object at its end."""

import json
import math


class Telling:
    """Prints lines, or collects what they say as an object.

    Parameters
    ----------
    as_json : bool
        Whether lines are kept back, and the object is printed.
    **facts
        What the object says unless something else is found.
    """

    def __init__(self, as_json, **facts):
        self.as_json, self.facts = as_json, facts

    def tell(self, line=None, **facts):
        """Print a line, if it is asked for; and keep the facts that it tells."""
        self.facts |= facts
        if line is not None and not self.as_json:
            print(line)

    def end(self):
        """Print the object, if it is asked for."""
        if self.as_json:
            print(json.dumps(_plain(self.facts), allow_nan=False))


def _plain(value):
    """A value with numbers of which JSON has none, NaN and infinity, as text."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
