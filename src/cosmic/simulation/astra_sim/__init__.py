"""ASTRA-sim's analytical back ends, reproduced to the nanosecond on every rank."""
