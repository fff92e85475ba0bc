"""The house: imports point down the layers only, the public surface is one sorted list, importing costs little."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tangently

ROOT = Path(tangently.__file__).parent
LAYERS: list[set[str]] = [
    {"errors", "files", "settings"},
    {"expr"},
    {"primitives"},
    {"functions"},
    {"printing", "parsing", "tracing"},
    {"differentiation", "quotients", "samples", "simplification", "codegen", "enclosure", "extrapolation"}
    | {"contraction", "recognition", "sparsity", "structured"},
    {"asymptotics"},
    {"adopting", "checkpointing", "explanation", "verification", "compiled", "derivatives", "opinions"}
    | {"assembly", "matrices"},
    {"limits", "smoothness"},
    {"descent", "function", "pictures", "reports", "studies", "examples"},
    {"__init__"},
    {"cli", "__main__"},
]
LEVEL = {name: k for k, layer in enumerate(LAYERS) for name in layer}
FILES = sorted(ROOT.rglob("*.py"))


def module_of(path: Path) -> str:
    """The layer's member that a file belongs to: its first folder, or its own name."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(tree: ast.AST, *, at_import: bool) -> set[str]:
    """The tangently modules that are imported when the file is imported (or, lazily, inside its functions)."""
    nodes = ast.walk(tree) if not at_import else top_level(tree)
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "tangently":
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {a.name for a in node.names}
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("tangently.")}
    return found


def top_level(tree: ast.AST) -> list[ast.AST]:
    """Statements that run at import: not the bodies of functions, not what only type checkers read."""
    found: list[ast.AST] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        found += [node, *top_level(node)]
    return found


def test_every_module_has_a_layer() -> None:
    assert {module_of(p) for p in FILES} <= set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    own = module_of(path)
    for other in imported(ast.parse(path.read_text()), at_import=True) - {own}:
        if other in LEVEL:
            assert LEVEL[other] <= LEVEL[own], f"{own} imports {other}, which lies above it"


def test_public_surface_is_sorted_and_loads() -> None:
    assert tangently.__all__ == sorted(tangently.__all__)
    assert set(tangently.__all__) <= set(dir(tangently))
    for name in tangently.__all__:
        assert getattr(tangently, name) is not None


def test_public_functions_say_what_they_do() -> None:
    for name in tangently.__all__:
        assert (getattr(tangently, name).__doc__ or "").strip(), name


def test_unknown_name_is_explained() -> None:
    with pytest.raises(AttributeError, match="has no 'gradient'"):
        _ = tangently.gradient  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_have_docstrings_and_evaluate_no_text(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "a module without its docstring"
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    # The table's own templates and generated code are compiled in these places, and nothing else is anywhere.
    allowed = {"kinds.py": {"eval"}, "tensor.py": {"eval"}, "compiling.py": {"exec"}, "sympy.py": {"eval"}}
    assert called & {"eval", "exec", "sympify", "parse_expr"} <= allowed.get(path.name, set())


def test_importing_loads_nothing_heavy() -> None:
    heavy = ("numpy", "sympy", "matplotlib", "flint", "scipy", "rich")
    code = f"import sys, tangently; print([m for m in {heavy} if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_import_time() -> None:
    """`import tangently` costs at most one and a half times `import numpy` (the minimum of five runs each)."""

    def best(code: str) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times.append(time.perf_counter() - start)
        return min(times)

    nothing = best("pass")
    assert best("import tangently") - nothing <= 1.5 * (best("import numpy") - nothing)


def test_ruff_finds_nothing() -> None:
    top = ROOT.parent.parent
    where = [str(p) for p in (ROOT, top / "tests", top / "benchmarks") if p.exists()]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", *where], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_types_check() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
