from hypothesis import settings

# A busy machine must not make a property fail; what a failure prints is enough to repeat it.
settings.register_profile("sweeper", deadline=None, print_blob=True)
settings.load_profile("sweeper")

# Those need a virtual environment of their own: `make outside`, `make test-deploy`.
collect_ignore = ["deploy", "outside"]
