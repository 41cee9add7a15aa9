"""The command line: `python -m crmn_legacy COMMAND`; each command imports what it needs, when it is called."""

import sys

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

    doctor = commands.add_parser("doctor", help="what this machine can do, and how to mend what it cannot")
    doctor.add_argument("--json", action="store_true", help="one JSON object a check, in a list")
    return flags


def main():
    """Run the command that the command line names; returns its exit status."""
    arguments = parser().parse_args()
    if arguments.command == "verify":
        from crmn_legacy.commands.verify import verify as command
    elif arguments.command == "tables":
        from crmn_legacy.commands.tables import tables as command
    elif arguments.command == "evaluate":
        from crmn_legacy.commands.evaluate import evaluate as command
    elif arguments.command == "predict":
        from crmn_legacy.commands.predict import predict as command
    else:
        from crmn_legacy.commands.doctor import doctor as command
    return command(arguments)


if __name__ == "__main__":
    sys.exit(run(main))
