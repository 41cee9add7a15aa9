"""A study as a program: ``train``, ``tables`` and ``runs``."""

import shlex
from pathlib import Path

from crmn_legacy.errors import run as run_program
from crmn_legacy.parser import Parser
from crmn_legacy.study import queue
from crmn_legacy.study.keeping import Places


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
    train.add_argument("--data", type=Path, required=True, metavar="FILE", help="HDF5 file of data_prep")
    train.add_argument("--only", nargs="+", default=[], metavar="RUN", help="some of the runs")
    train.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at a time, on shares of the cores")
    tables = commands.add_parser("tables", help="make tables and figures of what was kept of finished runs")
    tables.set_defaults(do=_write)
    runs = commands.add_parser("runs", help="list the runs, and how far each is")
    runs.set_defaults(do=_list)
    for command in (train, tables, runs):
        for name, folder, holds in (
            ("--runs", Path("runs") / study.name, "holds a folder a run"),
            ("--kept", Path("studies") / study.name, "holds what is kept of finished runs, and the page"),
        ):
            command.add_argument(name, type=Path, default=folder, metavar="DIR", help=f"{holds} (default: {folder})")
    return parser


def _train(study, options):
    return queue.train(study.chosen(options.only), options.data, _places(options), options.jobs)


def _places(options):
    return Places(options.runs, options.kept)


def _list(study, options):
    places = _places(options)
    for run in study.runs:
        print(f"{places.state(run):8} {run.name}: {run.row} {shlex.join(run.options().as_words())}")
    return 0


def _write(study, options):
    # What draws takes a second to import; the queue needs none of it.
    from crmn_legacy.study import document

    for path in document.write(study, _places(options)):
        print(path)
    return 0
