"""The executor as a chat model: what it is sent, and one line for whatever is missing."""

import os
import subprocess
import sys

import pytest

LAZY_KEY = '''
from langchain_core.language_models import FakeListChatModel
from pydantic import SecretStr

class ChatGroq(FakeListChatModel):
    """A provider's class that notices a missing key only when it is called."""

    responses: list[str] = ["ok"]
    api_key: SecretStr
    model: str

    @property
    def lc_secrets(self):
        return {"api_key": "SOME_API_KEY", "other_key": "OTHER_API_KEY"}

    def __init__(self, **given):
        import os

        super().__init__(api_key=os.environ.get("SOME_API_KEY", ""), **given)
'''


def assert_one_line(ran, *told):
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("crux-langgraph: --model ")
    assert ran.err.count("\n") == 1
    for part in told:
        assert part in ran.err


def test_the_model_is_sent_its_task_and_exactly_the_brief(command, server):
    ran = command("demo", "--model", "openai:scripted", "--limit", "1", "--json")
    (conversation,) = ran.document["conversations"]
    (request,) = server.requests
    assert (ran.code, ran.document["executor"]) == (0, "openai:scripted")
    assert request["model"] == "scripted"
    assert [message["role"] for message in request["messages"]] == ["system", "user"]
    assert request["messages"][1]["content"] == conversation["context"]
    assert conversation["answer"] == "Booked."


def test_the_answer_of_the_model_is_shown_as_its_own(command, server):
    server.answer = "Done, \x1b[1mMia."
    ran = command("demo", "--model", "openai:scripted")
    assert ran.code == 0
    assert "4. What the executor answered (openai:scripted)" in ran.out
    assert "Done, �[1mMia." in ran.out
    assert "stand-in" not in ran.out
    assert len(server.requests) == 6


def test_a_model_that_fails_fails_its_conversation_and_the_payload_is_still_shown(command, server):
    server.status = 400
    ran = command("demo", "--model", "openai:scripted", "--limit", "2")
    assert ran.code == 1
    assert "2. The payload that crossed" in ran.out
    assert "the model openai:scripted gave no answer: " in ran.words
    assert len(server.requests) == 2
    (conversation, _) = command("demo", "--model", "openai:scripted", "--limit", "2", "--json").document[
        "conversations"
    ]
    assert conversation["error"]["layer"] == "model"
    assert "the scripted failure" in conversation["error"]["message"]
    assert "\n" not in conversation["error"]["message"]
    assert conversation["payload"] is not None
    assert conversation["answer"] is None


def test_without_a_key_one_line_says_what_to_set(command, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert_one_line(command("demo", "--model", "openai:gpt-x"), "OPENAI_API_KEY")


def test_without_the_providers_package_one_line_says_what_to_install(command):
    assert_one_line(command("demo", "--model", "groq:x"), "pip install langchain-groq")


def test_without_langchain_one_line_says_what_to_install(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)
    assert_one_line(command("demo", "--model", "openai:x"), 'pip install "crux-langgraph[agents]"')


@pytest.mark.parametrize("name", ["gpt-x", "openai:", ":gpt-x", ""])
def test_a_model_without_provider_or_name_is_refused(command, name):
    assert_one_line(command("demo", "--model", name), "give provider:name, for example openai:")


def test_an_unknown_provider_is_refused_with_those_there_are(command):
    assert_one_line(command("demo", "--model", "nope:x"), "nope", "openai")


@pytest.mark.parametrize("key, code", [("", 2), ("secret", 0)])
def test_a_provider_that_would_notice_its_missing_key_late_is_asked_first(tmp_path, key, code):
    package = tmp_path / "langchain_groq"
    package.mkdir()
    (package / "__init__.py").write_text(LAZY_KEY, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", "from crux_langgraph.cli import main; main()", "demo", "--model", "groq:x"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "SOME_API_KEY": key},
    )
    assert ran.returncode == code
    assert ran.stderr == ("" if code == 0 else "crux-langgraph: --model groq:x: there is no key; set SOME_API_KEY\n")
