"""Half an hour on a lent card: pack here all that it takes, measure and train there, bring home what came out.

    python tools/campaign.py pack dist/campaign --data faces.h5     here: one folder of at most 60 MiB
    python dist/campaign/campaign.py run --minutes 9 --out home     there, as often as there is time
    python tools/campaign.py join home                              here: weights made whole again

There, Python 3.12, JAX, NumPy, SciPy, h5py and Pillow are enough: rows train from bundles, without Aesara or
Lasagne. `run` goes on where it stopped: what the machine can do; the same bits twice; milliseconds a step, beside JAX
and PyTorch by hand where these are; then the rows are trained on the data, the first named first. All that is finished
or begun is copied to `--out`, in pieces of at most 15 MiB.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

ROWS = (
    "table1_crmn",
    "table1_resnet_n5_fm4",
    "table1_resnet_n9_fm4",
    "table1_resnet_n18_fm4",
    "table1_resnet_n9_fm8",
)
MEASURED = ("table1_crmn", "table1_resnet_n9_fm4")
PRECISIONS = ("float32", "tf32", "bfloat16")
CONTENDERS = ("ours", "ours-fast", "jax", "torch", "torch-compiled")

MOST_BYTES = 60 << 20
PIECE = 15 << 20
RECORDS = ("run.json", "curve.jsonl", "curve.csv", "recipe.py", "MANIFEST.sha256")

# What the package needs of what is not there; of the lock's version, for Python 3.12.
WHEEL = "msgspec==0.22.0"
WHEEL_SHA256 = "99c401861c5bb3a57f7d6423ea7ed4352cd57aa3f04f4fbe9f3e3e4564a10f08"

# Seconds that a run is given to save itself.
GRACE = 45


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    pack = commands.add_parser("pack")
    pack.add_argument("folder", type=Path, help="new folder")
    pack.add_argument("--data", type=Path, required=True)
    pack.add_argument("--rows", nargs="+", default=ROWS)
    pack.add_argument("--precisions", nargs="+", default=PRECISIONS, choices=PRECISIONS, help="of the measured rows")
    pack.add_argument("--network", nargs="+", default=[], metavar="NAME=VALUE", help="other sizes: a rehearsal")
    run = commands.add_parser("run")
    run.add_argument("--minutes", type=float, required=True, help="after which it has ended")
    run.add_argument("--out", type=Path, required=True, help="where what came out is copied to")
    run.add_argument("--work", type=Path, help="where runs go on from call to call; default: beside this file")
    run.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    run.add_argument("--epochs", type=int, help="of each row; default: as published")
    join = commands.add_parser("join")
    join.add_argument("folder", type=Path)
    return parser.parse_args(argv)


def pack(options):
    """Write the folder; returns 0."""
    root, folder = Path(__file__).resolve().parents[1], options.folder
    if folder.exists():
        sys.exit(f"error: got '{folder}', which exists, expected a new folder")
    folder.mkdir(parents=True)
    kept = shutil.ignore_patterns("__pycache__", "pretrained")
    for name in ("crmn_legacy", "recipes"):
        shutil.copytree(root / name, folder / name, ignore=kept)
    # By the one it is known for a checkout, by the other a record tells its versions.
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(root / name, folder)
    (folder / "benchmarks").mkdir()
    for path in (root / "benchmarks").glob("hand_written*.py"):
        shutil.copy(path, folder / "benchmarks")
    for path in Path(__file__).parent.glob("campaign*.py"):
        shutil.copy(path, folder)
    shutil.copy(options.data, folder / "data.h5")
    _unpack_wheel(folder)
    jobs = [(row, precision) for row in options.rows for precision in _precisions(row, options.precisions)]
    for row, precision in jobs:
        print(f"{row}, {precision}", flush=True)
        words = ["export", row, "--precision", precision, "--out", str(folder / "programs" / f"{row}.{precision}")]
        subprocess.run([sys.executable, "-m", "crmn_legacy", *words, *_sized(options.network)], cwd=root, check=True)
    plan = {"rows": list(options.rows), "jobs": jobs, "network": options.network}
    (folder / "plan.json").write_text(json.dumps(plan, indent=1) + "\n")
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size:,} bytes")
    if size > MOST_BYTES:
        sys.exit(f"error: got {size:,} bytes, expected at most {MOST_BYTES:,}: name fewer --rows")
    return 0


def _sized(network):
    return ["--network", *network] if network else []


def _precisions(row, precisions):
    """Those that a row is packed with: all of a row that is measured, of another float32."""
    return precisions if row in MEASURED else [name for name in precisions if name == "float32"]


def _unpack_wheel(folder):
    words = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version=3.12", WHEEL]
    platforms = [f"--platform=manylinux{name}_x86_64" for name in ("2014", "_2_17", "_2_28")]
    place = folder / "wheel"
    subprocess.run([sys.executable, "-m", "pip", *words, *platforms, "--dest", str(place)], check=True)
    (wheel,) = place.iterdir()
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != WHEEL_SHA256:
        sys.exit(f"error: got {wheel.name} with sha256 {found}, expected {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            # A wheel's names are checked all the same: nothing is written outside.
            target = (folder / member.filename).resolve()
            if target.is_relative_to(folder.resolve()) and not member.is_dir():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(member))
    shutil.rmtree(place)


class Campaign:
    """What is done on the other machine, and how much time is left for it."""

    def __init__(self, options):
        self.folder = Path(__file__).resolve().parent
        self.options, self.end = options, time.monotonic() + 60 * options.minutes
        self.work = options.work or self.folder / "work"
        self.work.mkdir(parents=True, exist_ok=True)
        self.plan = json.loads((self.folder / "plan.json").read_text())
        self.results = self.work / "results.json"
        self.done = json.loads(self.results.read_text()) if self.results.exists() else {}

    def left(self):
        """Seconds."""
        return self.end - time.monotonic()

    def note(self, name, found):
        """Keep what was found, and say so."""
        self.done[name] = found
        self.results.write_text(json.dumps(self.done, indent=1) + "\n")
        print(f"{name}: {json.dumps(found)}", flush=True)

    def program(self, *words, most=None):
        """Run Python in the folder with what time is left; its status and the last lines of what it said."""
        environment = os.environ | {"PYTHONPATH": str(self.folder), "TF_CPP_MIN_LOG_LEVEL": "2"}
        limit = min(self.left() - GRACE, most or self.left())
        child = subprocess.Popen(
            [sys.executable, *map(str, words)],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            said, _ = child.communicate(timeout=max(limit, 1))
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGTERM)
            try:
                said, _ = child.communicate(timeout=GRACE - 15)
            except subprocess.TimeoutExpired:
                child.kill()
                said, _ = child.communicate()
        return child.returncode, said.splitlines()[-6:]

    def bundle(self, row, precision="float32"):
        return self.folder / "programs" / f"{row}.{precision}"

    def train(self, row, place, *words, most=None):
        """A run of a row's recipe by its programs, begun or gone on with."""
        more = [
            "--programs",
            self.bundle(row),
            "--data",
            self.folder / "data.h5",
            *_sized(self.plan["network"]),
            *words,
        ]
        how = (
            ["--resume", place] if (place / "run.json").exists() else ["--out", place, "--device", self.options.device]
        )
        how += [] if "--resume" in how else more
        return self.program(f"recipes/{row}.py", *how, most=most)

    def machine(self):
        """What computes here, and which versions."""
        if "machine" not in self.done:
            _, said = self.program("campaign_step.py", "machine", "--device", self.options.device, most=120)
            self.note("machine", _last_json(said))

    def twice(self):
        """The same updates twice: the same bits?"""
        row = self.plan["rows"][0]
        if "twice" in self.done or self.left() < 2 * GRACE:
            return
        found = []
        for number in (1, 2):
            place = self.work / f"twice-{number}"
            shutil.rmtree(place, ignore_errors=True)
            _, said = self.train(row, place, "--steps", "20", most=240)
            found += [line for line in said if line.startswith("bits: ")] or said[-1:]
        self.note("twice", {"row": row, "bits": found, "same": len(set(found)) == 1 and found[0].startswith("bits: ")})

    def steps(self):
        """Milliseconds a step of each measured row, number format and contender, each in a process of its own."""
        for row, precision in (tuple(job) for job in self.plan["jobs"] if job[0] in MEASURED):
            for contender in CONTENDERS:
                name = f"step {row} {precision} {contender}"
                if name in self.done or self.left() < 2 * GRACE:
                    continue
                words = [self.bundle(row, precision), "--precision", precision, "--contender", contender]
                status, said = self.program(
                    "campaign_step.py", "measure", *words, "--device", self.options.device, most=150
                )
                self.note(name, _last_json(said) if status == 0 else {"failed": said[-1:]})

    def rows(self):
        """Each row trained on the data, the first first, for as long as there is time."""
        epochs = [] if self.options.epochs is None else ["--epochs", str(self.options.epochs)]
        for row in self.plan["rows"]:
            place = self.work / "runs" / row
            if self.done.get(f"trained {row}", {}).get("finished") or self.left() < 2 * GRACE:
                continue
            status, said = self.train(row, place, *epochs)
            self.note(f"trained {row}", {"finished": status == 0, "said": said[-4:]})

    def bring_home(self):
        """Copy records, curves and weights to ``--out``, in pieces."""
        out = self.options.out
        out.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.results, out)
        for folder in sorted((self.work / "runs").glob("*")):
            target = out / folder.name
            target.mkdir(exist_ok=True)
            for name in RECORDS:
                if (folder / name).exists():
                    shutil.copy(folder / name, target)
            if (folder / "weights.npz").exists():
                split(folder / "weights.npz", target)


def _last_json(said):
    try:
        return json.loads(said[-1])
    except (IndexError, ValueError):
        return {"failed": said[-1:]}


def split(path, target):
    """Copy a file in pieces, with the digest of the whole beside them."""
    content = path.read_bytes()
    (target / f"{path.name}.sha256").write_text(hashlib.sha256(content).hexdigest() + "\n")
    for former in target.glob(f"{path.name}.part*"):
        former.unlink()
    for number, start in enumerate(range(0, len(content), PIECE)):
        (target / f"{path.name}.part{number:03d}").write_bytes(content[start : start + PIECE])


def join(options):
    """Make files whole again; returns 0, or 1 where one is not."""
    status = 0
    for told in sorted(options.folder.rglob("*.sha256")):
        path = told.with_suffix("")
        if path.name == "MANIFEST":
            continue
        content = b"".join(part.read_bytes() for part in sorted(path.parent.glob(f"{path.name}.part*")))
        whole = hashlib.sha256(content).hexdigest() == told.read_text().strip()
        status |= not whole
        print(f"{path}: {'whole' if whole else 'pieces are missing or altered'}")
        if whole:
            path.write_bytes(content)
    return int(status)


def run(options):
    """Do what there is time for, and bring home what came out; returns 0."""
    campaign = Campaign(options)
    try:
        for stage in (campaign.machine, campaign.twice, campaign.steps, campaign.rows):
            stage()
    finally:
        campaign.bring_home()
    return 0


if __name__ == "__main__":
    given = parse(sys.argv[1:])
    sys.exit({"pack": pack, "run": run, "join": join}[given.command](given))
