"""Every scenario in every setting."""

from ._measuring import Counter, count
from ._page import Counted
from ._scenario import Scenario
from ._scenarios import SCENARIOS
from ._settings import SETTINGS, Setting


def settings_for(scenario: Scenario) -> list[Setting]:
    """Give the settings that build this kind of scenario."""
    return [one for one in SETTINGS if scenario.variant in one.modules]


def counted_all(estimate: Counter, exact: Counter | None) -> Counted:
    """Count everything that is the same in every run."""
    return [
        (scenario, {one.name: count(scenario, one, estimate, exact) for one in settings_for(scenario)})
        for scenario in SCENARIOS
    ]
