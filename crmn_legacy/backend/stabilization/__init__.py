"""Expressions that overflow or vanish, replaced by equal ones that do not: Theano's stable forms for XLA.

XLA optimises a graph by itself, but computes what is written: ``log(1 - sigmoid(800))`` is minus infinity, its gradient
not a number. Aesara's own rewrites repair it, in a time that grows faster than the graph, and touch all of it.
"""

from .rewriting import Counts, Stabilization, stabilized

__all__ = ["Counts", "Stabilization", "stabilized"]
