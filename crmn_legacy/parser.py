"""The parser of every program here; it needs nothing that is not in Python."""

import argparse

from crmn_legacy.errors import UserError


class Parser(argparse.ArgumentParser):
    """Tells a wrong command line in one line, and takes no abbreviated option."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, allow_abbrev=False, **keywords)

    def error(self, message):
        raise UserError(f"{message}; `{self.prog} --help` lists what is expected")
