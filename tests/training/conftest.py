"""Runs for the tests of this folder."""

from tests.training.runs import compiled, data, finished

__all__ = ["compiled", "data", "finished"]
