"""`train ROW|FILE.py [options]`: the same run as `python recipes/ROW.py [options]`."""

from crmn_legacy.installation import load_recipe, recipe_script
from crmn_legacy.recipe import run_recipe


def train(arguments):
    """Run a recipe with its own command line; returns its exit status."""
    script = recipe_script(arguments.recipe)
    return run_recipe(load_recipe(script), script, arguments.options, prog=f"crmn-legacy train {arguments.recipe}")
