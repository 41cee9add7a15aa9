"""Where recipes are found, and what they may be."""

import pytest

from crmn_legacy import installation
from crmn_legacy.errors import UserError
from crmn_legacy.installation import load_recipe, recipe_script


def test_this_is_a_checkout_and_its_parts_are_there(root):
    assert root == installation.CHECKOUT == installation.IMPORT_PATH
    assert len(list(installation.RECIPES.glob("*.py"))) == 28
    assert len(list(installation.GOLDEN.glob("*.json"))) == 28


def test_a_recipe_is_named_by_its_row_or_its_path(root, tmp_path):
    assert recipe_script("table1_crmn") == root / "recipes" / "table1_crmn.py"
    own = tmp_path / "mine.py"
    own.write_text("")
    assert recipe_script(str(own)) == own


@pytest.mark.parametrize("name", ["table9", "../recipes/table1_crmn", "none.py", "", "\x1b"])
def test_what_names_no_recipe_is_refused(name):
    with pytest.raises(UserError, match="expected a"):
        recipe_script(name)


@pytest.mark.parametrize("text", ["", "RECIPE = 1", "raise SystemExit(3)", "import absent_module", "("])
def test_what_gives_no_recipe_is_refused_in_one_line(tmp_path, text):
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(UserError, match="does not give a recipe"):
        load_recipe(tmp_path / "mine.py")
