"""What the specialists read: prose about a subject, always the same, as long as asked, with one figure in it."""

_TOPICS = (
    "routing", "templates", "middleware", "sessions", "caching", "testing", "packaging", "deployment", "logging",
    "security", "forms", "streaming", "background jobs", "databases", "internationalisation", "profiling",
)  # fmt: skip
_SENTENCES = (
    "The chapter on {topic} explains how {subject} treats it, which defaults were chosen, and why they were kept.",
    "Most teams start from the example that comes with {subject} and change one setting of {topic} after the other.",
    "Where {topic} is concerned, the maintainers advise against clever shortcuts and show the plain way in full.",
    "An appendix lists what changed about {topic} between releases of {subject} and how old code is carried over.",
    "Readers who come from elsewhere find a table that names the nearest counterpart of every part of {topic}.",
    "Errors in {topic} are reported where they were made, with the name of the setting and what it may be.",
)


def prose(subject: str, figure: str, sentences: int) -> str:
    """Give so many sentences about a subject, `figure` being one of them, two thirds of the way down."""
    lines = [
        _SENTENCES[place % len(_SENTENCES)].format(
            topic=_TOPICS[place // len(_SENTENCES) % len(_TOPICS)], subject=subject
        )
        for place in range(sentences - 1)
    ]
    at = len(lines) * 2 // 3
    return " ".join([*lines[:at], figure, *lines[at:]])
