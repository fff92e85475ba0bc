"""Errors: what was got, what was wanted, what to do, in the user's words.

    TangentlyError
    ├── ParseError          text that is no formula: carries a caret under the place, and a suggestion
    ├── TraceError          a Python function that can't be followed
    │   ├── LeakError       a traced value that would silently lose its gradient
    │   └── UnsupportedError  an operation that the table has no row for
    ├── ShapeError          shapes that do not conform (both are named, and the place)
    ├── InputError          an argument of the wrong kind: complex, text, a name that is not there
    ├── DomainError         a point where the function has no value: 1/0, log of a negative number
    ├── KinkError           a derivative at a kink, under the policy "raise"
    └── BudgetError         a bound on time, size or depth was reached; the bound is named

The classes also derive from the built-in error that a NumPy user would expect (ValueError, TypeError, …).
"""

from __future__ import annotations


class TangentlyError(Exception):
    """The base of every error that tangently raises on purpose.

    Shape of the message: what was got; what was wanted; what to do.
    """


class ParseError(TangentlyError, ValueError):
    """Text that is no formula. `text`, `position` (0-based) and `hint` allow a caret to be drawn."""

    def __init__(self, message: str, text: str = "", position: int = 0, hint: str = "") -> None:
        self.message, self.text, self.position, self.hint = message, text, position, hint
        caret = f"\n  {text}\n  {' ' * position}^" if text and "\n" not in text else ""
        super().__init__(message + caret + (f"\n{hint}" if hint else ""))


class TraceError(TangentlyError, TypeError):
    """A Python function that can't be followed."""


class LeakError(TraceError):
    """A traced value that left its trace, or would become a plain number and lose its gradient."""


class UnsupportedError(TraceError, NotImplementedError):
    """An operation that the table of primitives has no row for."""


class ShapeError(TangentlyError, ValueError):
    """Shapes that do not conform."""


class InputError(TangentlyError, TypeError):
    """An argument of the wrong kind or name."""


class DomainError(TangentlyError, ValueError):
    """A point where the function has no value."""


class KinkError(TangentlyError, ValueError):
    """A derivative was asked for at a point where there is none, under the policy "raise"."""


class BudgetError(TangentlyError, RuntimeError):
    """A bound on time, size or depth was reached."""


class TangentlyWarning(UserWarning):
    """Something that was asked for has no effect."""


def a_type(x: object) -> str:
    """What something is, for a message.

    >>> a_type(3), a_type([]), a_type(None)
    ('an int', 'a list', 'None')
    """
    name = type(x).__name__
    return "None" if x is None else f"{'an' if name[0].lower() in 'aeio' else 'a'} {name}"
