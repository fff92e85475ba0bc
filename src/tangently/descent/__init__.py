"""Descent: derivatives put to use, step by step; why it converges, crawls, oscillates or blows up; landscapes.

problems.py     a function of nested arguments as a function of one flat vector, with counts of what was evaluated
steps.py        `Point` and `Step`: frozen, what every method yields
schedules.py    how the rate changes with the step; clipping
searches.py     line searches, and the subproblem of a trust region
methods.py      the table of methods, one row each
squares.py      the residuals of a sum of squares
minimizing.py   `minimize`: a method, stop rules, and reasons in words
trajectory.py   `Trajectory`: what happened, as a table, as rates, saved and resumed
theory.py       sharpness, stability bounds, predicted rates, Armijo and Wolfe, beside what each step did
diagnosing.py   `diagnose`: what went how and why (blowups, standstills, swings, crawls), from evidence.py; what to
                change, tried by remedies.py; findings.py: what is told
landscapes.py   `landscape`: a function on a grid or a slice, and the paths on it

stationary.py   `critical_points` of several numbers: subdividing, intervals, fields; starting: many numbers
lines.py        `critical_points` of one number; critical, placing, degeneracy, roughness: what is told
lowest.py       `global_minimum` by branch and bound; regions.py: what a search over a region is given

surrogates.py   `surrogate`: smooth losses in place of those without a slope; smoothing.py: the same in a traced graph
propagation.py  `uncertainty`: the delta method, Monte Carlo, Laplace; sensitivities.py: `sensitivity`
"""
