"""A handoff as a tool: what a model sees of it, what it fills, and what is refused when it is made."""

from typing import Annotated, Any

import pytest
from desk import Bill, bill, call_of, to_billing
from langchain.agents import create_agent
from langchain.agents.middleware import AgentState
from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import AliasChoices, BaseModel, Field, RootModel
from support import Call, ScriptedModel, calling

from crux_langgraph import Handoff, Private, errors, handoff
from crux_langgraph.middleware import HandoffRouting


def test_it_is_named_by_its_target_and_described_by_its_docstring() -> None:
    tool = to_billing.as_tool()
    assert isinstance(tool, BaseTool)
    assert (tool.name, tool.description) == ("transfer_to_billing", "Send the customer a bill.")


def test_name_and_description_can_be_given() -> None:
    tool = to_billing.as_tool(name="bill", description="Bill them.")
    assert (tool.name, tool.description) == ("bill", "Bill them.")


def test_an_agent_name_with_other_characters_makes_a_name_that_providers_take() -> None:
    assert Handoff.of(Bill, id="x", to_agent="Billing désk 2").as_tool().name == "transfer_to_Billing_d_sk_2"


def test_the_model_sees_the_fields_of_the_input_and_nothing_else() -> None:
    function = convert_to_openai_tool(to_billing.as_tool())["function"]
    assert function["parameters"]["properties"].keys() == {"account", "cents"}
    assert function["parameters"]["properties"]["account"]["description"] == "the account that pays"
    assert function["parameters"]["required"] == ["account"]


def test_it_can_show_a_part_of_the_fields() -> None:
    function = convert_to_openai_tool(to_billing.as_tool(fields=["cents"]))["function"]
    assert function["parameters"]["properties"].keys() == {"cents"}


async def test_called_by_hand_it_gives_the_command_that_queues(call: Call) -> None:
    command = await call(to_billing.as_tool(), {"account": "A"})
    (request,) = command.update["handoff_requests"].values()
    assert (request["handoff"], request["data"], command.update["messages"]) == (
        "to-billing",
        {"account": "A", "cents": 0},
        [],
    )


async def test_a_bare_text_is_the_first_field(call: Call) -> None:
    command = await call(to_billing.as_tool(), "A")
    (request,) = command.update["handoff_requests"].values()
    assert request["data"]["account"] == "A"


async def test_called_by_hand_with_bad_arguments_it_raises_and_tells_no_value(call: Call) -> None:
    with pytest.raises(errors.InputError, match="the arguments are not what it takes") as caught:
        await call(to_billing.as_tool(), {"account": "A", "cents": "a lot"})
    assert [problem.path for problem in caught.value.problems] == ["cents"]
    assert "a lot" not in str(caught.value)


class Context(AgentState[Any], total=False):
    account: str


async def in_agent(call: Call, tool: BaseTool, arguments: dict[str, Any], state: dict[str, Any]) -> Any:
    model = ScriptedModel(replies=[calling(call_of(tool.name, **arguments)), "gave up"])
    agent = create_agent(model, middleware=[HandoffRouting(tool)], state_schema=Context)
    return await call(agent, {"messages": ["hi"], **state})


async def test_fields_that_the_model_does_not_fill_are_read_from_the_agents_state(call: Call) -> None:
    tool = to_billing.as_tool(fields=["cents"])
    out = await in_agent(call, tool, {"cents": 7}, {"account": "from state"})
    (request,) = out["handoff_requests"].values()
    assert request["data"] == {"account": "from state", "cents": 7}


async def test_what_the_state_holds_cannot_be_overruled_by_a_field_of_the_model(call: Call) -> None:
    tool = to_billing.as_tool(fields=["cents"])
    out = await in_agent(call, tool, {"cents": 7, "account": "forged"}, {"account": "from state"})
    (request,) = out["handoff_requests"].values()
    assert request["data"]["account"] == "from state"


async def test_a_required_field_that_the_state_lacks_is_an_error_of_the_program(call: Call) -> None:
    with pytest.raises(errors.InputError, match="reads 'account' from the agent's state, which has no value there"):
        await in_agent(call, to_billing.as_tool(fields=["cents"]), {"cents": 7}, {})


async def test_an_optional_field_that_the_state_lacks_keeps_its_default(call: Call) -> None:
    out = await in_agent(call, to_billing.as_tool(fields=["account"]), {"account": "A"}, {})
    (request,) = out["handoff_requests"].values()
    assert request["data"] == {"account": "A", "cents": 0}


async def test_a_bad_value_from_the_state_is_not_blamed_on_the_model(call: Call) -> None:
    with pytest.raises(errors.InputError, match="account: expected a valid string, found int"):
        await in_agent(call, to_billing.as_tool(fields=["cents"]), {"cents": 7}, {"account": 5})


async def test_an_alias_of_a_field_is_a_key_of_the_state_too(call: Call) -> None:
    class Aliased(BaseModel):
        who: str = Field(validation_alias=AliasChoices("account", "owner"))
        cents: int

    tool = Handoff.of(Aliased, id="x", to_agent="billing").as_tool(fields=["cents"])
    out = await in_agent(call, tool, {"cents": 7}, {"account": "A"})
    (request,) = out["handoff_requests"].values()
    assert request["data"] == {"who": "A", "cents": 7}


async def test_a_private_value_is_in_no_message(call: Call) -> None:
    class Secret(BaseModel):
        token: Annotated[str, Private()]
        cents: int

    tool = Handoff.of(Secret, id="x", to_agent="billing").as_tool(fields=["cents"])

    class WithToken(AgentState[Any], total=False):
        token: str

    model = ScriptedModel(replies=[calling(call_of(tool.name, cents="many")), "gave up"])
    agent = create_agent(model, middleware=[HandoffRouting(tool)], state_schema=WithToken)
    out = await call(agent, {"messages": ["hi"], "token": "t0p"})
    (told,) = [message for message in out["messages"] if isinstance(message, ToolMessage)]
    assert told.status == "error"
    assert "t0p" not in str(out["messages"])


@pytest.mark.parametrize(
    "options, found",
    [
        ({"name": "no spaces"}, "its tool would be named 'no spaces'"),
        ({"name": 7}, "its tool would be named 7"),
        ({"description": " "}, "nothing tells a model when to hand over"),
        ({"fields": ["owner"]}, r"fields=\['owner'\] are not fields of its input Bill"),
        ({"fields": []}, r"fields=\[\] are not fields of its input Bill"),
        ({"fields": "cents"}, "fields='cents' are not fields of its input Bill"),
    ],
)
def test_what_no_model_could_call_is_refused(options: dict[str, Any], found: str) -> None:
    with pytest.raises(errors.DefinitionError, match=found):
        to_billing.as_tool(**options)


def test_without_a_target_it_needs_a_name() -> None:
    with pytest.raises(errors.DefinitionError, match="it names no to_agent"):
        Handoff.of(Bill, id="x").as_tool()
    assert Handoff.of(Bill, id="x").as_tool(name="anywhere").name == "anywhere"


def test_a_root_model_has_no_arguments() -> None:
    class Many(RootModel[list[str]]):
        pass

    with pytest.raises(errors.DefinitionError, match="its input Many is a RootModel"):
        Handoff.of(Many, id="x", to_agent="b").as_tool()


def test_a_field_of_a_reserved_name_is_refused_unless_the_state_fills_it() -> None:
    class Taken(BaseModel):
        runtime: str
        cents: int

    contract = Handoff.of(Taken, id="x", to_agent="b")
    with pytest.raises(errors.DefinitionError, match="the reserved field runtime"):
        contract.as_tool()
    assert contract.as_tool(fields=["cents"]).name == "transfer_to_b"


def test_routing_refuses_two_tools_of_one_name() -> None:
    again = handoff(id="again", to_agent="billing")(to_billing.__wrapped__)
    with pytest.raises(errors.DefinitionError, match="several tools named transfer_to_billing"):
        HandoffRouting(to_billing, again)


def test_routing_takes_tools_and_handoffs() -> None:
    tools = HandoffRouting(to_billing, to_billing.as_tool(name="bill")).tools
    assert [tool.name for tool in tools] == ["transfer_to_billing", "bill"]


def test_a_call_of_it_is_told_by_its_own_id() -> None:
    command = to_billing.as_tool().invoke(bill("7"))
    (told,) = command.update["messages"]
    assert (told.tool_call_id, told.content) == ("7", "Transferred to billing.")
