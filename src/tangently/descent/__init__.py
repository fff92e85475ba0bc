"""Descent: derivatives put to use, step by step; why it converges, crawls, oscillates or blows up; landscapes.

problems.py     a function of nested arguments as a function of one flat vector, with counts of what was evaluated
steps.py        `Point` and `Step`: frozen, what every method yields
schedules.py    how the rate changes with the step; clipping
searches.py     line searches, and the subproblem of a trust region
methods.py      the table of methods, one row each
squares.py      the residuals of a sum of squares
minimizing.py   `minimize`: a method, stop rules, and reasons in words
trajectory.py   `Trajectory`: what happened, as a table, as rates, saved and resumed
"""
