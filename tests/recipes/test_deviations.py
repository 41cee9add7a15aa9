"""A recipe's `deviations` are the numbers that follow from what it uses, no more and no fewer."""

import fnmatch
import re
import runpy
from dataclasses import fields
from functools import cache, partial
from itertools import pairwise
from pathlib import Path

import lasagne
import pytest

from crmn_legacy import models
from crmn_legacy.training.steps import build
from tests.documents import slug

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "recipes").glob("*.py"))
TEXT = (ROOT / "DEVIATIONS.md").read_text(encoding="utf-8")

LABELS = ["We do", "Why", "Measured effect"]

# What a recipe must use, all of it, beside the numbers of DEVIATIONS.md that touch it then. The words are those of
# `used_by`: functions of crmn_legacy.models, classes of its parts and layers, and settings.
RULES = {
    "recipe": (20, 23),
    # The paper's own training: its schedule, and what Honari et al. leave to it.
    "RateSchedule": (1, 4),
    "RateSchedule round_robin=True": (5,),
    "resnet RateSchedule": (6,),
    "resnet": (7,),
    "crmn": (7,),
    "Keypoints": (2, 3, 8, 12, 13, 14, 21, 22),
    "Keypoints rotation=20": (11,),
    # The data of faces.
    "FaceAugmentation": (9, 15, 16, 24, 25, 26),
    "LocalContrastNormalizationLayer": (10,),
    # Layers.
    "rectify": (17,),
    "Conv2DLayer": (18,),
    "BatchNormLayer epsilon=0.0001 average=inv_std": (19,),
    "BatchNormLayer epsilon=1.000001e-05": (89,),
    # The data of CIFAR.
    "Classification": (8, 30, 31, 32),
    "GlobalContrastZCA": (33, 34),
    "GlobalContrast": (34,),
    "CropFlip padding=4": (35,),
    "ChannelMeanStd": (36,),
    "PixelMeanGlobalStd": (36,),
    "FieldDistortion": (73,),
    # The families, each with its own section.
    "highway": (40, 41, 42, 43, 44),
    "cifar_resnet": (45, 46, 47, 48, 49),
    "stochastic_depth": (50, 51, 53, 54),
    "swapout": (55, 56, 57, 58, 59),
    "maxout": (60, 61, 62, 63),
    "all_convolutional": (65, 66, 67, 68, 69),
    "fractional_max_pooling": (70, 71, 72, 74, 75),
    "preactivation_resnet": (78, 79, 80),
    "preactivation_resnet num_classes=100": (81,),
    "wide_resnet": (82, 83, 84, 85),
    "densenet": (87, 88),
    "rcn joint_prediction PixelClassification": (90, 91, 92, 93, 94, 95, 96, 97),
    "crmn Classification": (100, 101, 102, 103, 104, 105),
}

# Sections of DEVIATIONS.md, and what a recipe must use for a number in one to touch it. The paper's own may touch any.
SECTIONS = {
    "The paper itself": "recipe",
    "CIFAR: the data of Tables 2 and 3": "Classification",
    "Highway networks": "highway",
    "ResNet-110": "cifar_resnet",
    "Stochastic Depth": "stochastic_depth",
    "Swapout": "swapout",
    "Maxout": "maxout",
    "Large All-CNN": "all_convolutional",
    "Fractional max-pooling": "fractional_max_pooling",
    "Pre-activation ResNet-1001": "preactivation_resnet",
    "Wide ResNet": "wide_resnet",
    "DenseNet": "densenet",
    "Recombinator Network": "rcn",
    "CRMN on CIFAR": "crmn Classification",
}
OF_NO_FAMILY = ("The paper itself", "CIFAR: the data of Tables 2 and 3")
# Numbers whose text names families of other sections too.
SHARED = {
    73: ("fractional_max_pooling", "all_convolutional"),
    89: ("stochastic_depth", "preactivation_resnet", "wide_resnet", "densenet"),
}


@cache
def used_by(script):
    """The recipe's deviations, and the words for what it uses: names of functions, classes and settings."""
    recipe = runpy.run_path(str(script))["RECIPE"]
    words = {"recipe"} | set(recipe.network.__code__.co_names) & set(models.__all__)
    parts = [recipe.task, recipe.schedule, recipe.task.augmentation]
    parts += [recipe.task.preprocessing] if hasattr(recipe.task, "preprocessing") else []
    for part in parts:
        words.add(type(part).__name__)
        words |= {f"{field.name}={getattr(part, field.name)}" for field in fields(part)}
    for layer in layers_of(build(partial(recipe.network, **recipe.smallest), seed=0)):
        words.add(type(layer).__name__)
        words |= {f"{name}={getattr(layer, name)}" for name in ("epsilon", "average") if hasattr(layer, name)}
        words |= {"rectify"} if getattr(layer, "nonlinearity", None) is lasagne.nonlinearities.rectify else set()
    return recipe.deviations, frozenset(words)


def layers_of(network):
    """Every layer of a network, and of the networks that its layers hold."""
    for layer in lasagne.layers.get_all_layers(network):
        yield layer
        for inside in getattr(layer, "networks", ()):
            yield from layers_of(inside)


def meets(words, needed):
    return set(needed.split()) <= words


@cache
def document():
    """Number -> its section's heading, of each entry of DEVIATIONS.md."""
    found, heading = [], ""
    for line in TEXT.splitlines():
        if match := re.match(r"## (.+)", line):
            heading = match[1]
        elif match := re.match(r"### (\d+)\. ", line):
            found.append((int(match[1]), heading))
    numbers = [number for number, _ in found]
    assert all(earlier < later for earlier, later in pairwise(numbers))
    return dict(found)


def index_of(text):
    """The index that the document's sections and entries make, one string per line."""
    lines = []
    for line in text.splitlines():
        if match := re.match(r"## (.+)", line):
            lines.append(f"- [{match[1]}](#{slug(match[1])})")
        elif match := re.match(r"### (\d+)\. (.+)", line):
            lines.append(f"  - [{match[1]}](#d{match[1]}) {match[2]}")
    return lines


def named(patterns, names):
    """Those of `names` that a cell of patterns means, ``these but not those``."""
    these, _, those = (re.findall(r"`(.+?)`", part) for part in patterns.partition(" but not "))
    met = [{name for pattern in part for name in fnmatch.filter(names, pattern)} for part in (these, those)]
    assert all(fnmatch.filter(names, pattern) for pattern in these + those)
    return met[0] - met[1]


@pytest.mark.parametrize("script", RECIPES, ids=lambda path: path.stem)
def test_the_deviations_are_those_that_follow_from_what_the_recipe_uses(script):
    deviations, words = used_by(script)
    assert all(earlier < later for earlier, later in pairwise(deviations))
    derived = {number for needed, numbers in RULES.items() if meets(words, needed) for number in numbers}
    assert set(deviations) == derived


@pytest.mark.parametrize("script", RECIPES, ids=lambda path: path.stem)
def test_no_deviation_is_of_a_foreign_familys_section(script):
    deviations, words = used_by(script)
    sections = {number: document()[number] for number in deviations}
    foreign = {
        number: heading
        for number, heading in sections.items()
        if not any(meets(words, needed) for needed in SHARED.get(number, (SECTIONS[heading],)))
    }
    assert not foreign


def test_every_number_of_the_document_has_a_recipe_that_it_touches():
    """None is about something else, so none has to be left out here."""
    assert {number for script in RECIPES for number in used_by(script)[0]} == set(document())


def test_every_rule_is_needed():
    """A misspelt word would never be met."""
    unmet = [needed for needed in RULES if not any(meets(used_by(script)[1], needed) for script in RECIPES)]
    assert not unmet


def test_the_index_is_that_of_the_entries():
    assert re.findall(r"^ *- \[.+", TEXT.partition("\n## ")[0], re.MULTILINE) == index_of(TEXT)


def test_an_entry_has_its_anchor_and_its_four_lines():
    before, *entries = re.split(r"^### (?=\d+\. )", TEXT, flags=re.MULTILINE)
    assert len(entries) == len(document())
    for entry in entries:
        number = entry.partition(".")[0]
        assert before.endswith(f'<a id="d{number}"></a>\n\n')
        says, *labels = re.findall(r"^- \*\*(.+?):\*\* \S", entry, re.MULTILINE)
        assert says in ("The paper says", "The source says") and labels == LABELS
        before = entry


def test_numbers_that_hold_for_many_rows_hold_for_those_that_are_named():
    section = TEXT.partition("## Numbers that hold for many rows\n")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| .+ \| (`.+) \| (\[.+) \|$", section, re.MULTILINE)
    touched = {script.stem: used_by(script)[0] for script in RECIPES}
    stated = {int(number): patterns for patterns, numbers in lines for number in re.findall(r"\[(\d+)\]", numbers)}
    wrong = {
        number: patterns
        for number, patterns in stated.items()
        if named(patterns, touched) != {row for row, numbers in touched.items() if number in numbers}
    }
    assert not wrong
    of_no_family = {number for number, heading in document().items() if heading in OF_NO_FAMILY}
    assert stated.keys() == of_no_family | SHARED.keys()
