"""`crux-langgraph demo --trace`: the runs as a tree in the terminal, as data, or as a page."""

import re

import pytest


def test_the_tree_shows_every_run_with_its_tokens_and_its_duration(command):
    ran = command("demo", "--trace")
    tree = ran.out.partition("The runs")[2]
    assert (ran.code, ran.err) == (0, "")
    assert re.search(r"^   researcher-to-executor +[\d.,]+ ms", tree, re.MULTILINE)
    assert re.search(
        r"^     handoff:prepare +researcher → executor +1,119 → 680 tokens +[\d.,]+ ms", tree, re.MULTILINE
    )
    assert re.search(r"^     researcher +[\d.,]+ ms\s+delegate:start", tree, re.MULTILINE)
    assert "transfer_to_refunds" in tree
    assert "5 more conversations; --trace FILE.html draws all" in tree


def test_without_it_no_run_is_shown(command):
    ran = command("demo", "--limit", "1")
    assert "The runs" not in ran.out
    assert "trace" not in command("demo", "--limit", "1", "--json").document


def test_one_conversation_is_all_there_is(command):
    assert "more conversations" not in command("demo", "--trace", "--limit", "1").out


def test_a_failed_run_is_marked(command):
    ran = command("demo", "--trace", "--budget", "100", "--limit", "1")
    assert ran.code == 1
    assert re.search(r"handoff:prepare +researcher → executor +failed", ran.out)


def test_the_model_of_the_executor_is_in_the_tree_with_its_tokens(command, server):
    ran = command("demo", "--trace", "--limit", "1", "--model", "openai:gpt-4o-mini")
    assert re.search(r"ChatOpenAI +2 tokens +[\d.,]+ ms", ran.out)
    document = command("demo", "--trace", "--json", "--limit", "1", "--model", "openai:gpt-4o-mini").document
    [model] = [run for run in document["trace"][0]["runs"][-1]["runs"] if run["name"] == "ChatOpenAI"]
    assert model["tokens"] == {"model": 2}


def test_the_json_document_has_the_runs_as_trees(command):
    trace = command("demo", "--trace", "--json", "--limit", "2").document["trace"]
    assert [root["name"] for root in trace] == ["airline-15-0", "airline-13-0", "orchestrator", "triage"]
    [crossing] = trace[0]["runs"][1]["runs"]
    assert (crossing["name"], crossing["status"], crossing["problem"]) == ("handoff:prepare", "done", None)
    assert crossing["tokens"] == {"before": 1119, "after": 680}
    assert 0 < crossing["duration_s"] < trace[0]["duration_s"]


@pytest.mark.parametrize("options", [[], ["--json"]], ids=["text", "json"])
def test_a_file_gets_the_page_and_the_terminal_says_so(command, tmp_path, options):
    page = tmp_path / "run.html"
    ran = command("demo", "--trace", page, *options)
    assert ran.code == 0
    assert f"The runs are drawn in {page}" in (ran.err if options else ran.out)
    assert "The runs\n" not in ran.out
    html = page.read_text(encoding="utf-8")
    assert html.count('class="timeline"') == 8
    assert "researcher → executor" in html


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["run.html"], "run.html: a file is for --trace, which writes a page; give conversations by --input"),
        (["--trace", "notes.py"], "notes.py: --trace writes an HTML page: give a name that ends with .html"),
        (["--trace", "/dev/null/run.html"], "/dev/null/run.html: Not a directory"),
    ],
)
def test_a_file_that_cannot_be_the_page_is_refused_in_one_line(command, monkeypatch, tmp_path, arguments, said):
    monkeypatch.chdir(tmp_path)
    ran = command("demo", "--limit", "1", *arguments)
    assert ran.code == 2
    assert ran.err == f"crux-langgraph: {said}\n"
    assert list(tmp_path.iterdir()) == []
