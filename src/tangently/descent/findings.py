"""What a diagnosis is made of: findings, each with words, numbers, a remedy and the run that verified it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tangently.descent.theory import LINEAR, Theory
from tangently.descent.trajectory import counted
from tangently.errors import InputError

FIRST = (*LINEAR, "Lion")  # methods whose rate can be changed
TROUBLE, VERDICT, REMARK = "trouble", "verdict", "remark"


# ---------------------------------------------------------------- what is returned


@dataclass(frozen=True, repr=False)
class Finding:
    """One thing that was found. `remedy`: settings to change; `after`: the run that was made with them."""

    name: str
    words: str
    numbers: Mapping[str, Any] = field(default_factory=dict)
    remedy: Mapping[str, Any] = field(default_factory=dict)
    after: Any = None  # Trajectory | None
    verified: str = ""  # before and after, in words; or what was tried in vain
    kind: str = TROUBLE

    def __str__(self) -> str:
        return f"{self.name}: {self.words}" + (f"\n   → {self.verified}" if self.verified else "")

    def __repr__(self) -> str:
        return f"<Finding {self}>"


@dataclass(frozen=True, repr=False)
class Diagnosis:
    """The findings, most important first."""

    trajectory: Any
    findings: tuple[Finding, ...]
    theory: Theory

    @property
    def main(self) -> Finding:
        return self.findings[0]

    @property
    def healthy(self) -> bool:
        """Is nothing found that needs a change?"""
        return all(f.kind != TROUBLE for f in self.findings)

    def __getitem__(self, name: str) -> Finding:
        for f in self.findings:
            if f.name == name:
                return f
        raise InputError(f"nothing named {name!r} was found; found were {', '.join(f.name for f in self.findings)}")

    def __contains__(self, name: str) -> bool:
        return any(f.name == name for f in self.findings)

    def __iter__(self) -> Any:
        return iter(self.findings)

    def __str__(self) -> str:
        t = self.trajectory
        head = f"{t.method} on {t.problem.name}, {counted(t.count, 'step')}: f from {t.values[0]:.6g} to {t.value:.6g}"
        return "\n".join([head, *[f"{k}. {f}" for k, f in enumerate(self.findings, 1)]])

    __repr__ = __str__


__all__ = ["FIRST", "REMARK", "TROUBLE", "VERDICT", "Diagnosis", "Finding"]
