"""The table of primitives: one row each, a rule of differentiation written once.

Importing this package fills `tangently.expr.TABLE`. Interpreters look rows up there by name; nothing else in
the library tests the name of an operation. A new primitive is one row in one of these files, and the table's
own parametrised test then checks its value, both modes, second order, code, domain, notation and enclosure.
"""

from tangently.expr import TABLE
from tangently.primitives import constants, elementary, layout, linalg, neural, piecewise, special, tensor

__all__ = ["TABLE", "constants", "elementary", "layout", "linalg", "neural", "piecewise", "special", "tensor"]
