"""Evaluation by many processes, of this machine or of many."""
