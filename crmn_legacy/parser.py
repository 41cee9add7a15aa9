"""The parser of every program here; it needs nothing that is not in Python."""

import argparse

from crmn_legacy.errors import UserError


class Parser(argparse.ArgumentParser):
    """Tells a wrong command line in one line, and takes no abbreviated option.

    Parameters
    ----------
    docstring : str, optional
        A program's, whose first line describes it; None where Python keeps none (``-OO``).
    **keywords
        Of `argparse.ArgumentParser`.
    """

    def __init__(self, docstring=None, **keywords):
        if docstring:
            keywords["description"] = docstring.partition("\n")[0]
        super().__init__(allow_abbrev=False, **keywords)

    def error(self, message):
        raise UserError(f"{message}; `{self.prog} --help` lists what is expected")
