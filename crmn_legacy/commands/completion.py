"""`completion SHELL`: a script by which a shell completes `crmn-legacy`, made from the very parsers."""

import argparse
from shlex import join

from crmn_legacy.backend.cards.descriptions import CARDS
from crmn_legacy.backend.precision import PRECISIONS
from crmn_legacy.cli import parser
from crmn_legacy.commands import data
from crmn_legacy.errors import UserError
from crmn_legacy.installation import pretrained_names, rows
from crmn_legacy.metrics import NORMALISERS
from crmn_legacy.recipe import add_flags

_PROGRAM = "crmn-legacy"


def completion(arguments):
    """Print the script of a shell; 0."""
    try:
        import shtab
    except ImportError:
        raise UserError(
            "completion got no shtab, which makes the script, expected it: install what requirements-completion.lock "
            "names (`make completion`)"
        ) from None
    print(shtab.complete(_completed(described(), shtab), arguments.shell))
    return 0


def described():
    """The whole command line as one parser, to be looked at: with what `train` and `data` hand on to others."""
    flags = parser()
    flags.prog = _PROGRAM
    commands = _commands(flags)
    _remove(commands["train"], "options")
    add_flags(commands["train"])
    _remove(commands["data"], "kind", "options")
    kinds = commands["data"].add_subparsers(dest="kind")
    for kind, script in data.parsers().items():
        kinds.add_parser(kind, parents=[script], add_help=False, help=script.description)
    return flags


def _commands(flags):
    """The parsers of a parser's commands, by name (dict); empty where it has none."""
    return next((each.choices for each in flags._actions if isinstance(each, argparse._SubParsersAction)), {})


def _remove(flags, *names):
    for action in [each for each in flags._actions if each.dest in names]:
        flags._remove_action(action)


def _completed(flags, shtab):
    """A parser whose arguments say, in the way of shtab, how each is completed: by what it is called in ``--help``."""
    kinds = {
        "FILE": shtab.FILE,
        "PICTURE|FOLDER": shtab.FILE,
        "FILE.py": shtab.glob("*.py"),
        "FILE.npz": shtab.glob("*.npz"),
        "DIR": shtab.DIRECTORY,
        "FOLDER": shtab.DIRECTORY,
        "ROW|FILE.py": _recipes(),
        "DIR|ROW": _recipes(),
    }
    names = {"pretrained": pretrained_names(), "card": CARDS, "precision": PRECISIONS, "normalise": NORMALISERS}
    for command in _commands(flags).values():
        _completed(command, shtab)
    # Where pictures follow, the first may stand in the place of the folder, after --pretrained.
    pictures = any(action.metavar == "PICTURE|FOLDER" for action in flags._actions)
    for action in flags._actions:
        if action.dest in names:
            action.choices = list(names[action.dest])
        elif isinstance(action.metavar, str) and action.metavar in kinds:
            folder = action.metavar == "DIR" and not action.option_strings
            action.complete = shtab.FILE if folder and pictures else kinds[action.metavar]
        if not action.option_strings and isinstance(action.nargs, int):
            action.nargs = "+"  # zsh would be told of the first alone
    return flags


def _recipes():
    """How a row is completed, a recipe of one's own, or a folder on the way to it (dict, as `shtab.glob` gives it)."""
    # bash marks folders where the name says that files are meant.
    name, words = "_crmn_legacy_recipe_files", join(rows())
    return {
        "bash": name,
        "zsh": name,
        "fish": f"({name})",
        "preamble": {
            "bash": f"""
{name}() {{
  compgen -W "{words}" -- "$1"
  compgen -f -X '!*.py' -- "$1"
  compgen -d -- "$1"
}}""",
            "zsh": f"""
{name}() {{
  local -a rows=({words})
  _describe row rows
  _files -g '*.py'
}}""",
            "fish": f"""
function {name}
  printf '%s\\n' {words}
  __fish_complete_path (commandline -ct)
end""",
        },
    }
