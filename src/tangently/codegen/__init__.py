"""Generated code: flat functions that a person could have written, from the same rows as everything else."""
