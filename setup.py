"""What pyproject.toml cannot say: the recipes and data_prep travel in a folder of the package."""

from setuptools import find_packages, setup

SCRIPTS = {"crmn_legacy.scripts.recipes": "recipes", "crmn_legacy.scripts.data_prep": "data_prep"}

setup(packages=[*find_packages(include=["crmn_legacy*"]), *SCRIPTS], package_dir=SCRIPTS)
