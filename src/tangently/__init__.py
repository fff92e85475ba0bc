"""tangently: calculus for deep learning that shows its work.

Give it a function — a formula as text, a plain Python function in NumPy, a loss — and it answers with derivatives,
gradients, Jacobians and Hessians, the derivation step by step, the computational graph, and a receipt that independent
routes agree. Names below are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "BudgetError": "errors",
    "Derived": "function",
    "DomainError": "errors",
    "InputError": "errors",
    "KinkError": "errors",
    "LeakError": "errors",
    "ParseError": "errors",
    "ShapeError": "errors",
    "TangentlyError": "errors",
    "TangentlyWarning": "errors",
    "TraceError": "errors",
    "Trajectory": "descent.trajectory",
    "UnsupportedError": "errors",
    "checkpoint": "checkpointing",
    "checkpointed_loop": "checkpointing",
    "continuity": "smoothness.continuing",
    "critical_points": "descent.stationary",
    "derivative": "function",
    "descend": "descent.minimizing",
    "diagnose": "descent.diagnosing",
    "differences": "samples",
    "differentiability": "smoothness.differing",
    "directional": "function",
    "explain": "studies",
    "expression": "matrices.text",
    "functions": "",
    "global_minimum": "descent.lowest",
    "grad": "function",
    "graph": "studies",
    "hessian": "function",
    "hvp": "function",
    "jacobian": "function",
    "jvp": "function",
    "landscape": "descent.landscapes",
    "laplacian": "function",
    "limit": "limits",
    "matrix": "matrices.expressions",
    "minimize": "descent.minimizing",
    "options": "settings",
    "parse": "parsing",
    "partial": "function",
    "plot": "pictures.functions",
    "scalar": "matrices.expressions",
    "sensitivity": "descent.sensitivities",
    "study": "studies",
    "surrogate": "descent.surrogates",
    "taylor": "function",
    "to_sympy": "adopting.sympy",
    "uncertainty": "descent.propagation",
    "value_and_grad": "function",
    "variable": "function",
    "vector": "matrices.expressions",
    "vjp": "function",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"tangently has no {name!r}; it has {', '.join(__all__)}")
    module = importlib.import_module(f"tangently.{home or name}")
    value = getattr(module, name) if home else module
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
