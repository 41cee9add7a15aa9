"""Sphinx's directive ``command-line``: a program's usage, arguments and options, as its parser has them.

    ```{command-line} recipe
    ```

Nothing of a command is written down in the manual a second time, so nothing can differ from ``--help``.
"""

import argparse
import re
import sys
from importlib import import_module

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from crmn_legacy import cli, recipe
from crmn_legacy.installation import SCRIPTS, load_recipe, recipe_script

WIDTH = 88


def package():
    """(name, parser) of each command of `python -m crmn_legacy`."""
    (commands,) = (action for action in cli.parser()._actions if isinstance(action, argparse._SubParsersAction))
    summaries = {choice.dest: choice.help for choice in commands._choices_actions}
    for name, command in commands.choices.items():
        command.description = command.description or _sentence(summaries[name])
        yield name, command


def recipes():
    """(name, parser) of a recipe; all of them have the same options."""
    yield "python recipes/ROW.py", recipe.parser(load_recipe(recipe_script("table1_crmn")), "python recipes/ROW.py")


def data_prep():
    """(name, parser) of each script that makes a data file."""
    sys.path.append(str(SCRIPTS))
    for name in ("faces_300w", "cifar", "rendered_faces", "rendered_shapes"):
        script = import_module(f"data_prep.{name}").parser()
        script.prog = f"python data_prep/{name}.py"
        yield script.prog, script


PROGRAMS = {"package": package, "recipe": recipes, "data_prep": data_prep}


def usage(parser):
    """A parser's usage, as ``--help`` prints it, without its first word; it does not depend on the terminal."""
    parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=WIDTH)
    return parser.format_usage().removeprefix("usage: ").rstrip()


def words(action):
    """What one types for an argument or option: `--box X0 Y0 X1 Y1`, `--out DIR`, `PICTURE ...`."""
    value = action.metavar or (f"{{{','.join(map(str, action.choices))}}}" if action.choices else action.dest.upper())
    values = " ".join(value) if isinstance(value, tuple) else value
    if action.nargs == "+":
        values += " ..."
    elif isinstance(action.nargs, int) and not isinstance(value, tuple):
        values = " ".join([values] * action.nargs)
    if not action.option_strings:
        return values
    return ", ".join(action.option_strings) + (f" {values}" if action.nargs != 0 else "")


def explanation(parser, action):
    """What ``--help`` says of an argument or option, and whether an option must be given."""
    text = _sentence((action.help or "") % {**vars(action), "prog": parser.prog})
    return f"{text} Must be given." if action.option_strings and action.required else text


def _sentence(text):
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", ":")) else ".")


class CommandLine(SphinxDirective):
    """A section for each program of one kind: a key of `PROGRAMS`."""

    required_arguments = 1

    def run(self):
        """The sections (list of docutils nodes)."""
        return [self._section(name, parser) for name, parser in PROGRAMS[self.arguments[0]]()]

    def _section(self, name, parser):
        section = nodes.section(
            "", nodes.title("", "", nodes.literal("", name)), names=[nodes.fully_normalize_name(name)]
        )
        self.state.document.note_explicit_target(section)
        section += self._paragraph(parser.description or "")
        section += nodes.literal_block("", usage(parser), language="text")
        for group in parser._action_groups:
            if actions := [action for action in group._group_actions if action.help != argparse.SUPPRESS]:
                section += nodes.rubric("", group.title[:1].upper() + group.title[1:])
                section += self._definitions(parser, actions)
        if parser.epilog:
            section += self._paragraph(parser.epilog)
        return section

    def _definitions(self, parser, actions):
        definitions = nodes.definition_list()
        for action in actions:
            term = nodes.term("", "", nodes.literal("", words(action)))
            said = nodes.definition("", self._paragraph(explanation(parser, action)))
            definitions += nodes.definition_list_item("", term, said)
        return definitions

    @staticmethod
    def _paragraph(text):
        paragraph = nodes.paragraph()
        for number, part in enumerate(re.split(r"``?([^`]+)``?", text)):
            paragraph += nodes.literal("", part) if number % 2 else nodes.Text(part)
        return paragraph


def setup(app):
    """Tell Sphinx of the directive."""
    app.add_directive("command-line", CommandLine)
    return {"parallel_read_safe": True}
