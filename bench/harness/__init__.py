"""The parts of bench/run and bench/generate. Python's standard library only."""
