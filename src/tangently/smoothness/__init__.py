"""Continuity and differentiability: decided from the formula, point by point, and proved complete on an interval.

points              exact points and balls of a formula there
reading             what the verbs are given, as one expression of x; branches of Python functions explored
algebra             the zeros of an expression on an interval, in closed form
isolating, spans    the same by balls, and by intervals with infinite ends beside a pole
cells               an interval cut where the function may break, with an analytic formula on every piece
valuations          the limit of a quotient of analytic functions, by the orders of their zeros
sides               the value at a point and the limits from both sides
continuing          `continuity`: the definition at a point, every discontinuity on an interval
slopes, differing   `differentiability` of one variable: one-sided slopes, how smooth, kinks on an interval
several, hulls      of several variables: the gradients of the active pieces and their convex hull (Clarke)
opaque              functions that can't be traced, estimated at a point
results             what is answered
"""
