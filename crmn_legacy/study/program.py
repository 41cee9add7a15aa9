"""A study as a program: ``train``, ``tables`` and ``runs``."""

import shlex
from pathlib import Path

from crmn_legacy.errors import run as run_program
from crmn_legacy.parser import Parser
from crmn_legacy.study import queue


def main(study, docstring=None):
    """Run a study as a program: read the command line, do what it says, exit with its status.

    Parameters
    ----------
    study : Study
    docstring : str, optional
        Of its script.
    """
    run_program(lambda: _main(study, docstring))


def _main(study, docstring):
    options = _parser(study, docstring).parse_args()
    return options.do(study, options)


def _parser(study, docstring):
    parser = Parser(docstring)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    train = commands.add_parser("train", help="train what is not finished; go on with what was stopped")
    train.set_defaults(do=_train)
    train.add_argument("--only", nargs="+", default=[], metavar="RUN", help="some of the runs")
    tables = commands.add_parser("tables", help="make tables and figures of what is finished")
    tables.set_defaults(do=_write)
    out = Path("studies") / study.name
    tables.add_argument("--out", type=Path, default=out, metavar="DIR", help=f"where to (default: {out})")
    for command in (train, tables):
        command.add_argument("--data", type=Path, required=True, metavar="FILE", help="HDF5 file of data_prep")
    runs = commands.add_parser("runs", help="list the runs, and how far each is")
    runs.set_defaults(do=_list)
    for command in (train, tables, runs):
        folder = Path("runs") / study.name
        command.add_argument(
            "--runs", type=Path, default=folder, metavar="DIR", help=f"holds a folder a run (default: {folder})"
        )
    return parser


def _train(study, options):
    return queue.train(study.chosen(options.only), options.data, options.runs)


def _list(study, options):
    for run in study.runs:
        print(f"{run.state(options.runs / run.name):8} {run.name}: {run.row} {shlex.join(run.options().as_words())}")
    return 0


def _write(study, options):
    # What draws and reads results takes a second to import; the queue needs none of it.
    from crmn_legacy.study import document

    for path in document.write(study, options.runs, options.data, options.out):
        print(path)
    return 0
