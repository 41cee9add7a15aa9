"""NVIDIA cards by name: what XLA must know to compile for one that is not there, and what its maker says it can do."""

from crmn_legacy import submodules as _submodules
from crmn_legacy.backend.cards.descriptions import CARDS, Card, card

__all__ = ["CARDS", "Card", "card"]

__getattr__, __dir__ = _submodules.attributes(globals())
