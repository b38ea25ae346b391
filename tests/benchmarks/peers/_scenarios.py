"""The three scenarios of LangChain's multi-agent documentation, and a chain of five agents."""

from ._material import prose
from ._scenario import FINAL, ONE_BY_ONE, Scenario, Specialist

_DESK = f"""You are the front desk of a cafe. You cannot buy anything yourself: the barista can.
When an order is placed, {FINAL}, with the number of the order."""

_BARISTA = Specialist(
    name="barista",
    card="Buys drinks for the user.",
    prompt=f"You are the barista. Buy what the user wants, then {FINAL}, with the number of the order.",
    tool="buy_coffee",
    tool_text="Placed order {figure}: one large coffee, 450 cents.",
    figures=("C-7731", "C-7732"),
    report="Your large coffee is ordered.",
    told="Its number is {figure}.",
)


def coffee(name: str, *turns: str) -> Scenario:
    return Scenario(
        name=name,
        variant="coffee",
        coordinator=_DESK,
        specialists=[_BARISTA._replace(figures=_BARISTA.figures[: len(turns)])],
        turns=turns,
        question="Buy a large coffee and say the number of the order.",
        fields={"drink": "coffee", "size": "large"},
    )


_REPORTED = """{name} suits web development well where its ecosystem is what the team knows: routing, templates and
sessions come with sound defaults, deployment is described step by step, and old code is carried over by the appendix.
Its weak side is that background jobs need a second process."""


_LOAD_TEST = "In the load test on the reference machine it served {figure} requests per second."


def _language(name: str, figure: str) -> Specialist:
    return Specialist(
        name=name.lower(),
        card=f"Knows the documentation of {name}.",
        prompt=f"You are the {name} specialist. Report what its documentation says about {name} for the user's purpose, "
        "with the measured requests per second.",
        tool=f"read_{name.lower()}_docs",
        tool_text=prose(name, _LOAD_TEST, 96),
        figures=(figure,),
        report=" ".join(_REPORTED.format(name=name).split()),
        told=_LOAD_TEST,
    )


def languages(name: str, *, in_prompt: bool) -> Scenario:
    return Scenario(
        name=name,
        variant="languages",
        coordinator="You are the coordinator. You know no programming language yourself: ask the specialists, each about "
        f"its own language, and {FINAL}, with the figure that each of them reports.",
        specialists=[_language("Python", "4217"), _language("JavaScript", "9358"), _language("Rust", "6684")],
        turns=["Compare Python, JavaScript and Rust for web development."],
        question="What does the documentation of {name} say about web development, and how fast is it?",
        in_prompt=in_prompt,
    )


def _step(name: str, what: str, figure: str, told: str = "") -> Specialist:
    fact = f"The one figure that everybody after this step needs is {{figure}}, {what}."
    return Specialist(
        name=name,
        card=f"Works out {what}.",
        prompt=f"You are the agent for the {name} of the move to the new data centre. Work out {what}. {told}".strip(),
        tool=f"read_{name}_notes",
        tool_text=prose(f"the {name}", fact, 24),
        figures=(figure,),
        report=f"The {name} is done: the notes agree with what was found on site, and nothing else is open.",
        told=f"The figure is {{figure}}, {what}.",
    )


RELAY = Scenario(
    name="chain of five",
    variant="relay",
    coordinator="You are the coordinator of the move to the new data centre. Have the inventory, the costs, the risks, "
    "the schedule and then the summary worked out, each with the figures of those before: ask "
    f"{ONE_BY_ONE}. Then {FINAL}, with the figure of each.",
    specialists=[
        _step("inventory", "the number of volumes to move", "2417"),
        _step("costs", "the price in euros", "8351"),
        _step("risks", "the number of records without a copy", "6290"),
        _step("schedule", "the minutes that the service is away", "1946"),
        _step("summary", "the number of the change request", "5583", f"Then {FINAL}, with the figure of each."),
    ],
    turns=["Plan the move of the billing service to the new data centre."],
    question="Work out the {name} of the move of the billing service.",
)

ONE_SHOT = coffee("one-shot", "Buy me a large coffee.")
REPEAT = coffee("repeat request", "Buy me a large coffee.", "The same again, please.")
BY_TOOL = languages("multi-domain, docs by a tool", in_prompt=False)
IN_PROMPT = languages("multi-domain, docs in the prompt", in_prompt=True)

SCENARIOS = (ONE_SHOT, REPEAT, BY_TOOL, IN_PROMPT, RELAY)
