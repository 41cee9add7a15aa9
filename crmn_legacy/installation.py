"""Where the parts of this installation lie, be it a checkout or an installed wheel, and how a recipe is loaded."""

import runpy
from pathlib import Path

from crmn_legacy.errors import UserError

PACKAGE = Path(__file__).resolve().parent

IMPORT_PATH = PACKAGE.parent
"""The folder that the package is imported from; of a checkout its root."""

CHECKOUT = IMPORT_PATH if (IMPORT_PATH / "recipes").is_dir() and (IMPORT_PATH / "pyproject.toml").is_file() else None
"""The root of the checkout; None if the package was installed from a wheel."""

# A wheel carries the scripts in a folder of their own, so that nothing else becomes importable beside them.
SCRIPTS = CHECKOUT or PACKAGE / "scripts"
"""The folder that holds ``recipes`` and ``data_prep``."""

RECIPES = SCRIPTS / "recipes"
GOLDEN = PACKAGE / "golden"
PRETRAINED = PACKAGE / "pretrained"


def recipe_script(name):
    """The file of a recipe.

    Parameters
    ----------
    name : str
        A row of the tables, or the path of a recipe of one's own.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    UserError
        There is no such recipe.
    """
    script = Path(name)
    if script.suffix == ".py":
        if not script.is_file():
            raise UserError(
                f"got '{script}', which is no file; expected a recipe, or a row's name: `tables` lists them"
            )
        return script.resolve()
    script = RECIPES / f"{name}.py"
    if Path(name).name != name or not script.is_file():
        raise UserError(
            f"got {name!a}, which is no row's recipe; expected a row's name (`tables` lists them) or the path of a "
            "recipe of your own, which ends in .py"
        )
    return script


def rows():
    """Names of the rows that have a recipe here (list of str), sorted."""
    return sorted(path.stem for path in RECIPES.glob("*.py"))


def pretrained_names():
    """Names of the networks that travel with the package (list of str), sorted."""
    return sorted(path.name for path in PRETRAINED.iterdir() if path.is_dir()) if PRETRAINED.is_dir() else []


def pretrained(name):
    """The folder of a network that travels with the package.

    Parameters
    ----------
    name : str

    Returns
    -------
    pathlib.Path
        A light folder of its run, with its weights.

    Raises
    ------
    UserError
        There is none of that name.
    """
    known = pretrained_names()
    if name not in known:
        raise UserError(f"--pretrained got {name!a}; expected one of {', '.join(known) or 'none: this copy has none'}")
    return PRETRAINED / name


def load_recipe(script):
    """Run a recipe's file and return what it calls ``RECIPE``.

    Parameters
    ----------
    script : path
        A program: it is run.

    Returns
    -------
    crmn_legacy.recipe.Recipe

    Raises
    ------
    UserError
        It does not give a recipe.
    """
    try:
        recipe = runpy.run_path(str(script))["RECIPE"]
        recipe.row, recipe.task  # noqa: B018 - a recipe has both
    except (Exception, SystemExit) as error:
        raise UserError(
            f"got '{script}', which does not give a recipe ({type(error).__name__}: {error}), expected one of this "
            "version of the package: take the version that made the run"
        ) from None
    return recipe
