"""Transcribed speech without its noise: hesitations, annotations of sounds and stuttered function words go.

Nothing goes that could change what was said: no "no", no "I think", no repeated content word.
"""

import re

_SOUNDS = "disfmarker|vocalsound|nonvocalsound|pause|laugh|laughs|laughter|cough|coughs|breath|noise|click|sigh|sniff"
_STUTTERED = "a|an|the|i|we|he|she|they|it|and|or|but|of|to|in|on|at|for|from|with|if|it's|i'm|we're|they're|there's"
_OPENERS = "i|we|he|she|they|it|you|the|a|an|this|that|there"
_RULES = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (rf"[{{\[(<] ?(?:{_SOUNDS}) ?[}}\])>]", " "),
        (r"(?:,\s*)?\b(?:u[hm]+|uhm|erm?|h?mm+(?:\s?-\s?h?mm+)?|mhm)\b(?!\s?-)\s*,?", " "),
        (r"(?<=,) (?:you know|i mean) (?=,)", " "),
        (r"\s+", " "),
        (r" (?=[,.?!;:](?:\s|$)|['\u2019](?:s|re|ll|ve|d|m|t)\b|n['\u2019]t\b)", ""),
        (
            rf"(?<![\w'\u2019-])((?:{_OPENERS}) [a-z']+|(?:{_STUTTERED})(?: (?:{_STUTTERED}))?)(?:,? \1)+(?![\w'\u2019-])",
            r"\1",
        ),
        (r"^[\s,.;-]+(?=\w)|,(?=\s*[,.?!;])|(?<=[.?!])[\s,.]+(?=\s|$)", ""),
    )
)


def tidy(text: str) -> str:
    """Give a spoken sentence without what is only noise in writing."""
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text.strip()


HESITATIONS = frozenset(
    {"uh", "um", "uhm", "uhh", "umm", "er", "erm", "mm", "mmm", "hm", "hmm", "mhm", *_SOUNDS.split("|")}
)
"""Words that carry nothing in a transcript."""
