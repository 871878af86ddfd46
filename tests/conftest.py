"""What all tests share."""

from hypothesis import settings

# A shared machine is slow at times, and that is no defect of the code.
settings.register_profile("cosmic", deadline=None, print_blob=True)
settings.load_profile("cosmic")
