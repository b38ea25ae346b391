"""Words that carry nothing: those of every sentence, and those that only tell a receiver what to do."""

_EVERYWHERE = (
    "a about above after again all also am an and any are as at be because been before being but by can could did do"
    " does doing don down during each few for from further get go going got had has have having he her here hers him"
    " his how i i'm i'll i've if in into is it it's its just know let like may me might more most much my no nor"
    " not now of off oh ok okay on once one only or other our out over own please really right s same say see she"
    " should so some such t than thank thanks that that's the their them then there there's these they thing things"
    " think this those through to too two under until up us very want was way we we're we'll we've well were what"
    " when where which while who whom why will with would yeah yes you you're your mm-hmm uh-huh re ll ve d m"
)
_TELLING = (
    "summarize summarise summary describe discuss discussion discussed explain list tell talk talked mention opinion"
    " opinions point meeting group team participants participant regarding concerning find answer question provide"
    " use using draft write task following please give report agent user"
)

STOP_WORDS = frozenset(_EVERYWHERE.split())
INSTRUCTIONS = frozenset(_TELLING.split())
