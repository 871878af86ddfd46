"""Measured kernels: read, predicted, and turned into calibrations."""
