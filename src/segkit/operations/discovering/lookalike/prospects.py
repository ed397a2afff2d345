from __future__ import annotations
from typing import NamedTuple
from segkit.operations.evaluation.evaluate import Evaluated
from segkit.rules.text.loader import Loaded, Overrides
class Prospects(NamedTuple):
    evaluated: Evaluated
    loaded: Loaded
    given: Overrides
def prospects_of(*args): ...
