"""The house keeps its shape: which room may know which, what a recipe is, and that the locks are whole."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from crmn_legacy import paper

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "crmn_legacy"
MOST_LINES = 400

# A room is a module or a folder of the package, or a folder within one that is named here with a dot; `crmn_legacy`
# itself is its `__init__.py`. Each stands beside the rooms it may import, at its top or within a function. `errors` and
# `submodules` are open to all.
ARROWS = {
    "crmn_legacy": {"backend"},
    "errors": set(),
    "submodules": set(),
    "cores": set(),
    "files": set(),
    "installation": set(),
    "options": {"backend"},
    "literals": set(),
    "published": {"installation", "literals", "options"},
    "parser": set(),
    "cli": {"crmn_legacy", "installation", "options", "parser"},
    "paper": set(),
    "landmarks": set(),
    "overlays": {"landmarks"},
    "metrics": set(),
    "samples": set(),
    "data.files": {"data.whitening", "files", "metrics"},
    "data.whitening": set(),
    "data": {"cores", "data.files", "data.whitening"},
    "backend": set(),
    "archive": {"backend", "files", "installation", "options", "samples"},
    "report": {"archive", "landmarks", "metrics", "paper"},
    "layers": {"backend", "metrics"},
    "models": {"layers"},
    "cost": {"layers"},
    "training": {"archive", "backend", "cost", "data", "data.files", "files", "layers", "metrics", "models", "options"}
    | {"data.whitening", "overlays", "samples"},
    "recipe": {"cli", "parser", "cost", "literals", "options", "paper", "published", "study", "training"},
    "inference": {"archive", "backend", "data", "data.files", "installation", "paper", "samples", "training"},
    "commands": {"archive", "backend", "cost", "data", "data.files", "files", "metrics", "options", "paper", "report"}
    | {"cli", "inference", "installation", "landmarks", "overlays", "recipe", "samples", "training"},
    "study": {"archive", "data.files", "installation", "landmarks", "metrics", "options", "paper", "parser", "report"},
    "__main__": {"cli"},
}
DATA_PREP = {"cores", "parser", "data", "data.files", "data.whitening", "errors", "files", "metrics", "samples"}

# What reads folders, files and numbers stays clear of what computes.
WITHOUT_FRAMEWORK = ("archive", "data", "data.files", "data.whitening", "errors", "files", "landmarks", "metrics")
WITHOUT_FRAMEWORK += (
    "cli",
    "parser",
    "installation",
    "literals",
    "options",
    "paper",
    "report",
    "samples",
    "submodules",
)
FRAMEWORKS = {"aesara", "jax", "jaxlib", "lasagne", "theano"}

# Import names that differ from their distribution's, and those that a pinned distribution brings along.
IMPORT_NAMES = {"Lasagne": {"lasagne"}, "pillow": {"PIL"}, "jax": {"jax", "jaxlib"}, "jinja2": {"jinja2", "markupsafe"}}

# What extras bring, and the one place that asks for each.
OPTIONAL = {
    "crmn_legacy/data/detection.py imports cv2",
    "crmn_legacy/training/tensorboard.py imports tensorboardX",
    "crmn_legacy/commands/completion.py imports shtab",
    "crmn_legacy/backend/python2/syntax.py imports fissix",
}

UNSAFE_MODULES = {"cPickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "pickletools", "shelve"}
# The one place where a pickle is read, by an unpickler that imports nothing and calls stand-ins alone.
PICKLE_READERS = {"cifar_pickle.py imports pickle", "cifar_pickle.py imports pickletools"}
# And what a Python 2 program calls cPickle: what it reads with it is its own affair.
PICKLE_READERS |= {"standard_modules.py imports pickle"}


def sources(*folders):
    """Every Python file below `folders`, sorted; of a run's folder the recipe is a record, and no code of the house."""
    found = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return [path for path in found if not (path.parent / "MANIFEST.sha256").exists()]


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path):
    """Dotted names that a file imports, wherever in it; `from a import b` gives `a.b`."""
    names = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            package = path.relative_to(ROOT).parts[: -node.level] if node.level else ()
            module = ".".join([*package, *filter(None, [node.module])])
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


def first_part(name):
    return name.partition(".")[0]


def room_of(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    within = ".".join(parts[:2])
    return within if within in ARROWS else "crmn_legacy" if parts[0] == "__init__" else parts[0]


def rooms_imported(path):
    """Rooms of the package that a file imports; an attribute of the package is of the room `crmn_legacy`."""
    named = [name.split(".")[1:] for name in imports(path) if name.startswith("crmn_legacy.")]
    rooms = {".".join(parts[:2]) if ".".join(parts[:2]) in ARROWS else parts[0] for parts in named}
    rooms |= {"crmn_legacy"} & imports(path)
    return {room if room in ARROWS else "crmn_legacy" for room in rooms}


def requirements(path):
    """Lines of a requirements file that name a distribution."""
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def pins(lines):
    """Name -> version of lines `name==version ...`, names in lower case with `-`."""
    found = {}
    for line in lines:
        name, equals, version = line.split()[0].partition("==")
        assert equals, f"{line!r} pins no version"
        found[name.lower().replace("_", "-")] = version
    return found


def assert_ran(*command):
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_is_in_the_plan():
    assert {room_of(path) for path in sources("crmn_legacy")} <= ARROWS.keys()


@pytest.mark.parametrize("room", ARROWS)
def test_arrows_between_rooms_point_one_way(room):
    allowed = ARROWS[room] | {"errors", "submodules", room}
    found = {
        f"{path.relative_to(ROOT)} imports {other}"
        for path in sources("crmn_legacy")
        if room_of(path) == room
        for other in rooms_imported(path) - allowed
    }
    assert not found


def test_the_plan_has_no_way_in_a_circle():
    left = {room: set(others) for room, others in ARROWS.items()}
    while free := {room for room, others in left.items() if not others & left.keys()}:
        left = {room: others for room, others in left.items() if room not in free}
    assert not left


def test_data_prep_knows_files_and_faces_only():
    found = {
        f"{path.relative_to(ROOT)} imports {room}"
        for path in sources("data_prep")
        for room in rooms_imported(path) - DATA_PREP
    }
    assert not found


@pytest.mark.parametrize("path", sources("recipes"), ids=lambda path: path.stem)
def test_a_recipe_imports_the_package_and_the_standard_library_only(path):
    assert {first_part(name) for name in imports(path)} <= {"crmn_legacy", *sys.stdlib_module_names}


def test_the_package_imports_only_what_requirements_txt_names():
    named = set(sys.stdlib_module_names) | {"crmn_legacy", "data_prep"}
    for line in requirements(ROOT / "requirements.txt"):
        name = line.partition("==")[0]
        named |= IMPORT_NAMES.get(name, {name})
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("crmn_legacy", "data_prep", "recipes")
        for name in map(first_part, imports(path))
        if name not in named
    }
    assert found == OPTIONAL


def test_rooms_of_files_and_numbers_name_no_framework():
    found = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources("crmn_legacy")
        if room_of(path) in WITHOUT_FRAMEWORK
        for name in imports(path)
        if first_part(name) in FRAMEWORKS
    }
    assert not found


def test_rooms_of_files_and_numbers_load_no_framework():
    present = {room_of(path) for path in sources("crmn_legacy")}
    modules = [f"crmn_legacy.{room}" for room in WITHOUT_FRAMEWORK if room in present]
    code = f"import sys, {', '.join(modules)}; print(*set({sorted(FRAMEWORKS)}).intersection(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("path", sources("recipes"), ids=lambda path: path.stem)
def test_a_recipe_belongs_to_a_printed_row_and_says_so(path):
    row = paper.ROWS[path.stem]
    tree = parsed(path)
    named = [
        keyword.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "Recipe"
        for keyword in node.keywords
        if keyword.arg == "row"
    ]
    assert named == [row.row]
    assert f"Table {row.table}" in ast.get_docstring(tree)


def test_ruff_finds_nothing():
    assert_ran("ruff", "check")


def test_ruff_would_format_nothing():
    assert_ran("ruff", "format", "--check")


def test_no_file_of_the_package_is_long():
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in sources("crmn_legacy")}
    assert {name: count for name, count in long.items() if count > MOST_LINES} == {}


def test_modules_and_their_public_functions_and_classes_have_docstrings():
    bare = set()
    for path in sources("crmn_legacy", "data_prep", "recipes"):
        tree = parsed(path)
        if tree.body and not ast.get_docstring(tree):
            bare.add(str(path.relative_to(ROOT)))
        for node in tree.body:
            public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            if public and not ast.get_docstring(node):
                bare.add(f"{path.relative_to(ROOT)}: {node.name}")
    assert not bare


def test_nothing_unpickles():
    found = set()
    for path in sources("crmn_legacy", "data_prep", "recipes"):
        found |= {f"{path.name} imports {name}" for name in imports(path) if first_part(name) in UNSAFE_MODULES}
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.keyword) and node.arg == "allow_pickle" and ast.unparse(node.value) != "False":
                found.add(f"{path.name}:{node.value.lineno} allows pickles")
    assert found == PICKLE_READERS


def test_no_archive_is_unpacked_without_a_filter():
    found = {
        f"{path.name}:{node.lineno}"
        for path in sources("crmn_legacy", "data_prep", "recipes", "tests")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("extractall", "unpack_archive")
        and "filter" not in {keyword.arg for keyword in node.keywords}
    }
    assert not found


@pytest.mark.parametrize("name", sorted(path.name for path in ROOT.glob("*.lock")))
def test_every_line_of_a_lock_pins_a_version_and_a_digest(name):
    lines = requirements(ROOT / name)
    assert lines
    unlike = [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.]+( --hash=sha256:[0-9a-f]{64})+", line)]
    assert not unlike


def test_the_locks_hold_what_is_asked_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = pins(requirements(ROOT / "requirements.lock"))
    building = pins(requirements(ROOT / "requirements-build.lock"))
    extras = project["project"]["optional-dependencies"]
    asked = pins(requirements(ROOT / "requirements.txt")) | pins(extras["test"])
    assert asked.items() <= locked.items()
    cuda12 = {name.partition("[")[0]: version for name, version in pins(extras["cuda12"]).items()}
    assert cuda12.items() <= pins(requirements(ROOT / "requirements-cuda12.lock")).items()
    assert pins(extras["python2"]).items() <= pins(requirements(ROOT / "requirements-python2.lock")).items()
    assert pins(extras["lock"]) == pins(requirements(ROOT / "requirements-uv.lock"))
    assert pins(project["build-system"]["requires"]) == building
    assert locked["setuptools"] == building["setuptools"]


def test_the_version_is_one():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f'__version__ = "{project["version"]}"' in (PACKAGE / "__init__.py").read_text().splitlines()
    assert f"## {project['version']}" in (ROOT / "CHANGES.md").read_text()
    assert f"version: {project['version']}" in (ROOT / "CITATION.cff").read_text().splitlines()


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
def test_another_python_is_refused_in_one_line(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["make", "environment", f"VENV={tmp_path / 'venv'}", f"PYTHON={tmp_path / 'none'}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "is no Python, expected Python 3.11: make PYTHON=/path/to/python3.11" in done.stderr
    assert not (tmp_path / "venv").exists()
