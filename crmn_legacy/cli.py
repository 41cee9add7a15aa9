"""Command lines: the options of a run as flags, and `crmn-legacy` itself."""

import argparse
import ast
import sys
from importlib import import_module

from crmn_legacy import __version__
from crmn_legacy.errors import run
from crmn_legacy.installation import pretrained
from crmn_legacy.options import DECLARED, DEFAULTS, OF_A_BUNDLE, in_range, kind_of
from crmn_legacy.parser import Parser

_PRETRAINED = "--pretrained"
_TAKE_UP_A_RUN = ("evaluate", "export", "predict")

EPILOG = "Status: 0 done; 1 something is wrong with the program or a result; 2 yours to mend; 130 interrupted."


def add_options(flags, names=tuple(DECLARED)):
    """Add the options of a run, or some of them, to a parser; one that is not given is None."""
    for name, declared in ((name, DECLARED[name]) for name in names):
        kind, default = kind_of(name), getattr(DEFAULTS, name)
        words = {"help": declared.help, "metavar": declared.metavar}
        if default not in (None, False, {}):
            words["help"] += f" (default: {default})"
        if kind is bool:
            flags.add_argument(f"--{name}", action="store_true", default=None, help=declared.help)
        elif kind is dict:
            flags.add_argument(f"--{name}", nargs="+", type=_assignment, action=_Assignments, **words)
        elif isinstance(kind, tuple):
            flags.add_argument(f"--{name}", choices=kind, help=words["help"])
        else:
            flags.add_argument(f"--{name}", type=_whole_number(declared) if kind is int else kind, **words)


class _Assignments(argparse.Action):
    """Collects NAME=VALUE pairs into a dict, over all the times that an option is given."""

    def __call__(self, parser, namespace, values, option_string=None):
        setattr(namespace, self.dest, {**(getattr(namespace, self.dest) or {}), **dict(values)})


def _assignment(text):
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"got {text!r}, expected NAME=VALUE")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return name, value


def _whole_number(declared):
    """A converter for argparse, of the whole numbers that an option may be."""

    def convert(text):
        try:
            number = int(text)
        except ValueError:
            number = -1
        if not in_range(number, declared):
            least = "a whole number of at least 1" if declared.at_least else "a whole number from 0 to 2**64 - 1"
            raise argparse.ArgumentTypeError(f"got {text!r}, expected {least}")
        return number

    return convert


def seeds(text):
    """The seeds of ``--seeds``, with commas between them (list of int)."""
    seed = _whole_number(DECLARED["seed"])
    found = [seed(part.strip()) for part in text.split(",")]
    if len(set(found)) < len(found):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected no seed twice")
    return found


def parser():
    """The command line of `crmn-legacy` (an `argparse.ArgumentParser`)."""
    prog = "crmn-legacy" if sys.argv[0].endswith("crmn-legacy") else "python -m crmn_legacy"
    flags = Parser(prog=prog, description="Work with rows of the paper and runs of recipes.", epilog=EPILOG)
    flags.add_argument("--version", action="version", version=f"crmn_legacy {__version__}")
    commands = flags.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for add in (
        _tables,
        _train,
        _data,
        _verify,
        _rerun,
        _compare,
        _evaluate,
        _predict,
        _report,
        _export,
        _kernels,
        _doctor,
        _completion,
    ):
        add(commands)
    return flags


def _tables(commands):
    tables = commands.add_parser("tables", help="every row: printed numbers, ours, and our measured results")
    tables.add_argument("--runs", metavar="DIR", default="runs", help="folder of runs (default: runs)")
    tables.add_argument(
        "--all", action="store_true", help="also runs that are not as published; what is unlike stands below"
    )
    form = tables.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a row, in a list")
    form.add_argument("--markdown", action="store_true", help="Markdown tables")


def _train(commands):
    train = commands.add_parser("train", help="run a row's recipe, or one of your own: train ROW|FILE.py [options]")
    train.add_argument("recipe", metavar="ROW|FILE.py", help="a row's name, or the path of a recipe of your own")
    train.add_argument("options", nargs=argparse.REMAINDER, help="the recipe's: `train ROW --help` lists them")


def _data(commands):
    data = commands.add_parser("data", help="prepare data: data faces|cifar|rendered-faces|rendered-shapes [options]")
    data.add_argument("kind", choices=("faces", "cifar", "rendered-faces", "rendered-shapes"), help="what is prepared")
    data.add_argument("options", nargs=argparse.REMAINDER, help="of its own: `data faces --help` lists them")


def _verify(commands):
    verify = commands.add_parser("verify", help="do a run's manifest and digests hold?")
    verify.add_argument("run", metavar="DIR", help="folder of a run")
    verify.add_argument("--json", action="store_true", help="one JSON object")
    verify.add_argument("--strict", action="store_true", help="fail on what is not the run's, such as a log, too")


def _rerun(commands):
    rerun = commands.add_parser("rerun", help="the same run again from its folder; runs the recipe that lies there")
    rerun.add_argument("run", metavar="DIR", help="folder of a finished run, with its arrays or without")
    rerun.add_argument("--out", metavar="DIR", help="new folder (default: runs/rerun-<row>-<UTC time>)")
    rerun.add_argument("--data", metavar="FILE", help="where the run's data are now, if they were moved")
    rerun.add_argument("--epochs", metavar="N", type=int, help="only its first epochs (default: all)")
    rerun.add_argument(
        "--json", action="store_true", help="one JSON object; what the run prints goes to standard error"
    )


def _compare(commands):
    compare = commands.add_parser("compare", help="where two runs part: first epoch, step and tensor, and how far")
    compare.add_argument("runs", metavar="DIR", nargs=2, help="folders of two runs")
    compare.add_argument("--no-replay", action="store_true", help="run no recipe again for numbers no folder stores")
    compare.add_argument("--json", action="store_true", help="one JSON object")


def _of_run(command, or_row=False):
    """The arguments of a command that takes up a run's network, or a row's."""
    if or_row:
        command.add_argument("run", metavar="DIR|ROW", help="folder of a run, or a row's name")
    else:
        command.add_argument("run", metavar="DIR", help="folder of a run")
    # `_with_folder` takes it out of the words; here it is for --help.
    command.add_argument(
        _PRETRAINED, metavar="NAME", help="a network that travels with the package, in the place of DIR"
    )
    command.add_argument(
        "--recipe",
        metavar="FILE.py",
        help="the recipe of a row of your own, such as DIR/recipe.py; it is a program, and it is run",
    )


def _evaluate(commands):
    evaluate = commands.add_parser("evaluate", help="the stored weights on data")
    _of_run(evaluate)
    evaluate.add_argument("--data", metavar="FILE", required=True, help="HDF5 file of data_prep")
    evaluate.add_argument("--split", metavar="S", default="test", help="train, valid or test (default: test)")
    evaluate.add_argument("--json", action="store_true", help="one JSON object")
    evaluate.add_argument(
        "--normalise",
        metavar="DISTANCE",
        default="eye-centres",
        help="what errors are divided by: eye-centres, between the eyes' centres, each the mean of its two corners, as "
        "in the paper's tables (default); outer-corners, between the outer corners of the eyes, as in most of the "
        "later field: about 0.7 times the error, beside no printed number",
    )
    evaluate.add_argument(
        "--predictions",
        metavar="FILE.npz",
        help="write what the network read and gave, and what its memory held, to a new file",
    )


def _predict(commands):
    predict = commands.add_parser("predict", help="keypoints of pictures, in their pixels")
    _of_run(predict)
    predict.add_argument(
        "pictures",
        metavar="PICTURE|FOLDER",
        nargs="+",
        help="JPEG or PNG, or a folder of them; turned as its EXIF orientation says and viewers show it, but as it "
        "lies with --points",
    )
    predict.add_argument("--recursive", action="store_true", help="look through the folders in a FOLDER too")
    where = predict.add_mutually_exclusive_group()
    where.add_argument("--points", action="store_true", help="take the face's box from the .pts beside each picture")
    where.add_argument(
        "--box",
        nargs=4,
        type=float,
        metavar=("X0", "Y0", "X1", "Y1"),
        help="the face's tight box, brows to chin, in pixels (default: the middle of the picture)",
    )
    where.add_argument(
        "--boxes",
        metavar="FILE",
        help="the same of each picture, several faces a picture too: lines picture,x0,y0,x1,y1, or in a FILE called "
        ".json what --json prints, or {picture: [[x0, y0, x1, y1], ...]}; a picture's path as given here, or from "
        "FILE's folder, or within FOLDER, or its last part if that is unlike all others",
    )
    where.add_argument(
        "--detect",
        action="store_true",
        help="find faces that look here, several a picture, the largest first; needs OpenCV (`make detect`)",
    )
    predict.add_argument("--json", action="store_true", help="one JSON object a picture, in a list")
    predict.add_argument("--out", metavar="DIR", help="new folder for a .pts a face and an overlay a picture")
    predict.add_argument("--colour", action="store_true", help="overlays on the picture in colour")


def _report(commands):
    report = commands.add_parser("report", help="one run, or many, as one HTML page that fetches nothing")
    report.add_argument("runs", metavar="DIR", nargs="+", help="folder of a run")
    report.add_argument(
        "--out",
        metavar="FILE",
        default="report.html",
        help="a former report is replaced, any other file refused (default: report.html)",
    )
    report.add_argument(
        "--predictions",
        metavar="FILE.npz",
        action="append",
        help="of `evaluate --predictions`, for pictures, their errors and the memory; once a DIR, in their order",
    )


def _export(commands):
    export = commands.add_parser(
        "export",
        help="training, evaluation and prediction as programs that outlive this package",
        description="Write a bundle: StableHLO of training step, evaluation step and prediction for CPU and CUDA, "
        "program.json, weights, and run_program.py, which needs JAX and NumPy only. Of a run's folder, with its best "
        "weights; or of a row, with its first ones, for `--programs` to train from.",
    )
    _of_run(export, or_row=True)
    export.add_argument("--out", metavar="FOLDER", required=True, help="new or empty folder")
    of_row = export.add_argument_group("of a row in place of DIR")
    add_options(of_row, OF_A_BUNDLE)


def _kernels(commands):
    kernels = commands.add_parser(
        "kernels",
        help="a row's GPU kernels, compiled without a card",
        description="Compile a row's training and evaluation step at the published batch for a card that need not be "
        "there, under the switches that fix bits, and tell what is in them. Needs the wheels of "
        "requirements-cuda12.lock (`make cuda-environment`), and no driver. Times are what the card's published rates "
        "allow: bounds, never measurements.",
    )
    kernels.add_argument("recipe", metavar="ROW|FILE.py", help="a row's name, or the path of a recipe of your own")
    kernels.add_argument("--card", metavar="NAME", required=True, help="h100, h200, a100, rtx4090, t4 or b200")
    kernels.add_argument("--devices", metavar="N", type=int, default=1, help="cards that share the batch (default: 1)")
    kernels.add_argument("--hosts", metavar="N", type=int, default=1, help="machines that hold them (default: 1)")
    kernels.add_argument("--precision", metavar="FORMAT", default="float32", help="float32 (default), tf32 or bfloat16")
    kernels.add_argument(
        "--network", nargs="+", type=_assignment, action=_Assignments, metavar="NAME=VALUE", help="of the network"
    )
    kernels.add_argument("--out", metavar="DIR", help="new folder for PTX, assembled code and the optimised program")
    kernels.add_argument("--json", action="store_true", help="one JSON object")


def _doctor(commands):
    doctor = commands.add_parser("doctor", help="what this machine can do, and how to mend what it cannot")
    doctor.add_argument("--json", action="store_true", help="one JSON object a check, in a list")


def _completion(commands):
    completion = commands.add_parser(
        "completion",
        help="a script by which a shell completes this command line",
        description="Print a script by which a shell completes `crmn-legacy`: its commands and options, rows, networks "
        "and files. bash reads it from ~/.local/share/bash-completion/completions/crmn-legacy, zsh from a file "
        "_crmn-legacy in a folder of its fpath, fish from ~/.config/fish/completions/crmn-legacy.fish. Needs shtab "
        "(`make completion`) while it is printed.",
    )
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), help="which one reads it")


def _with_folder(words):
    """A command line with ``--pretrained NAME`` replaced by that network's folder, in DIR's place.

    argparse cannot leave out one of two positional arguments, and have options stand between them.
    """
    for place, word in enumerate(words):
        option, equals, name = word.partition("=")
        value = [name] if equals else words[place + 1 : place + 2]
        if option == _PRETRAINED and value and words[0] in _TAKE_UP_A_RUN:
            rest = words[place + (1 if equals else 2) :]
            return [words[0], str(pretrained(*value)), *words[1:place], *rest]
    return words


def main():
    """Run the command that the command line names; returns its exit status."""
    arguments = parser().parse_args(_with_folder(sys.argv[1:]))
    command = getattr(import_module(f"crmn_legacy.commands.{arguments.command}"), arguments.command)
    return command(arguments)


def program():
    """`crmn-legacy`: run `main` as a program, and exit with its status."""
    sys.exit(run(main))
