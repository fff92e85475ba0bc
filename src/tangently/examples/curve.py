"""Functions of a first course in calculus: a polynomial, two arguments, a loop, a recursion."""

import math


def f(x=1.0):
    """A parabola: f′(x) = 4x + 3."""
    return 2 * x**2 + 3 * x + 1


def two(x=1.0, y=2.0):
    """∂/∂x = 2x + y e^(xy), ∂/∂y = 3 + x e^(xy)."""
    return x**2 + 3 * y + math.exp(x * y)


def root(a=2.0):
    """√a by Newton's method: the derivative of the loop is 1 / (2√a)."""
    guess = a
    while abs(guess * guess - a) > 1e-12 * a:
        guess = (guess + a / guess) / 2
    return guess


def power(x=2.0):
    """x⁵ by recursion: the derivative is 5x⁴."""
    return raised(x, 5)


def raised(x, n):
    return 1 if n == 0 else x * raised(x, n - 1)
