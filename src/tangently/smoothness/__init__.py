"""Continuity and differentiability: decided from the formula, point by point, and proved complete on an interval.

points exact points and balls of a formula there algebra, isolating the zeros of an expression on an interval, in
closed form or by balls cells an interval cut where the function may break, with an analytic formula on every piece
sides the value at a point and the limits from both sides continuing `continuity`: the definition at a point, every
discontinuity on an interval slopes, differing `differentiability` of one variable: one-sided slopes, how smooth,
kinks on an interval hulls, several of several variables: the gradients of the active branches and their convex hull
(Clarke) results what is answered
"""
