"""Property tests of fits: a slow machine is no failure."""

from hypothesis import HealthCheck, settings

settings.register_profile("fits", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("fits")
