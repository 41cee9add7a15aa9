"""The command line: `python -m crmn_legacy COMMAND`; each command imports what it needs, when it is called."""

import sys
from importlib import import_module

from crmn_legacy.errors import run
from crmn_legacy.recipe import OneLineParser


def parser():
    """The command line (an `argparse.ArgumentParser`)."""
    flags = OneLineParser(prog="python -m crmn_legacy", description="Work with rows of the paper and runs of recipes.")
    commands = flags.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=OneLineParser)

    tables = commands.add_parser("tables", help="every row: printed numbers, ours, and our measured results")
    tables.add_argument("--runs", metavar="DIR", default="runs", help="folder of runs (default: runs)")
    form = tables.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a row, in a list")
    form.add_argument("--markdown", action="store_true", help="Markdown tables")

    verify = commands.add_parser("verify", help="do a run's manifest and digests hold?")
    verify.add_argument("run", metavar="DIR", help="folder of a run")

    rerun = commands.add_parser("rerun", help="the same run again from its folder; runs the recipe that lies there")
    rerun.add_argument("run", metavar="DIR", help="folder of a finished run, with its arrays or without")
    rerun.add_argument("--out", metavar="DIR", help="new folder (default: runs/rerun-<row>-<UTC time>)")
    rerun.add_argument("--data", metavar="FILE", help="where the run's data are now, if they were moved")

    compare = commands.add_parser("compare", help="where two runs part: first epoch, step and tensor, and how far")
    compare.add_argument("runs", metavar="DIR", nargs=2, help="folders of two runs")
    compare.add_argument("--no-replay", action="store_true", help="run no recipe again for numbers no folder stores")

    evaluate = commands.add_parser("evaluate", help="the stored weights on data")
    evaluate.add_argument("run", metavar="DIR", help="folder of a run")
    evaluate.add_argument("--data", metavar="FILE", required=True, help="HDF5 file of data_prep")
    evaluate.add_argument("--split", metavar="S", default="test", help="train, valid or test (default: test)")
    evaluate.add_argument("--json", action="store_true", help="one JSON object")
    evaluate.add_argument(
        "--predictions", metavar="FILE.npz", help="write pictures, stem_input, predicted and target to a new file"
    )

    predict = commands.add_parser("predict", help="keypoints of pictures, in their pixels")
    predict.add_argument("run", metavar="DIR", help="folder of a run")
    predict.add_argument("pictures", metavar="PICTURE", nargs="+", help="JPEG or PNG")
    where = predict.add_mutually_exclusive_group()
    where.add_argument("--points", action="store_true", help="take the face's box from the .pts beside each picture")
    where.add_argument(
        "--box",
        nargs=4,
        type=float,
        metavar=("X0", "Y0", "X1", "Y1"),
        help="the face's tight box, brows to chin, in pixels (default: the middle of the picture)",
    )
    predict.add_argument("--json", action="store_true", help="one JSON object a picture, in a list")
    predict.add_argument("--out", metavar="DIR", help="new folder for a .pts and an overlay a picture")

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
        help="of `evaluate --predictions`, for the curve of errors; once for each DIR, in their order",
    )

    export = commands.add_parser(
        "export",
        help="the trained network as StableHLO, loadable without this package",
        description="Write the network with its best weights for jax.export.deserialize. It takes pictures as "
        "`evaluate --predictions` stores them: of faces uint8 (N, 1, height, width), gray, the box warped to the "
        "network's size; of a classifier float32 (N, 3, height, width), preprocessed; N free. It gives what that file "
        "calls `predicted`: (N, 136), x0, y0, x1, y1, ... in [0, 1] of the picture; of a classifier (N, classes), by a "
        "deterministic pass. FILE.json says where it comes from.",
    )
    export.add_argument("run", metavar="DIR", help="folder of a run")
    export.add_argument("--out", metavar="FILE", required=True, help="new file; FILE.json is written beside it")

    doctor = commands.add_parser("doctor", help="what this machine can do, and how to mend what it cannot")
    doctor.add_argument("--json", action="store_true", help="one JSON object a check, in a list")
    return flags


def main():
    """Run the command that the command line names; returns its exit status."""
    arguments = parser().parse_args()
    command = getattr(import_module(f"crmn_legacy.commands.{arguments.command}"), arguments.command)
    return command(arguments)


if __name__ == "__main__":
    sys.exit(run(main))
