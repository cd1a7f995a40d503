"""English verbs: which words can be finite, and which of these are nouns as well."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


AUXILIARY = _words(
    "is are was were am be been has have had do does did will would can could shall should may might must "
    "cannot isn't aren't wasn't weren't hasn't haven't hadn't don't doesn't didn't won't wouldn't can't "
    "couldn't shouldn't mustn't needn't it's that's there's they're we're you're i'm he's she's what's who's "
    "they've we've i've they'll it'll we'll you'll let's needs ought"
)
#: Verbs as a dictionary lists them; a star marks those whose forms are nouns as well.
_VERBS = _words(
    "accelerate accept account* accrue achieve act adapt add address* adopt advance* affect aggregate agree "
    "aim* align allocate allow alter amplify anchor answer* appear apply approach* argue arise arrive ask "
    "assert assess assign assume attach attack* attempt* attract augment automate avoid backfire balance* "
    "behave believe belong benefit* bias* block* blur boost bound* break* bridge* bring build* buy bypass "
    "calculate call* cancel cap* capture* carry cascade* catch* cause* centralize challenge* change* "
    "characterize charge* choose cite claim* climb* close* cluster* coevolve collapse collect combine come "
    "commit compare compensate compete complement complete compound* compress compute concentrate concern* "
    "conclude condition* confirm conflict* connect consider consist constitute constrain construct consume "
    "contain continue contract* contradict contribute control* converge convert coordinate correlate "
    "correspond cost* count* couple* cover* create cross damage* deal* decay decide decline* decouple "
    "decrease defeat* defend define degrade delay* delegate* deliver demand* demonstrate deny depend deploy "
    "derive describe deserve design* destroy deter determine develop differ diffuse diminish direct disagree "
    "disappear discount* discover displace disrupt dissolve distinguish distort distribute diverge divide "
    "dominate double* drain* drive* drop* earn ease educate eliminate embed emerge emphasize employ enable "
    "encode encourage end* enforce engage enhance ensure entail enter entrench equal eradicate erode escape* "
    "establish estimate* evaluate evolve exacerbate exaggerate exceed excel exclude execute exhibit* exist "
    "expand expect experience* explain explode exploit* expose express extend extract* face* facilitate fade "
    "fail fall* favor* favour* feed* feel fight* fill filter* find* finish* fit* flip* float flow* focus* "
    "follow force* forecast* forget form* foster fracture fragment* free fuel* function* fund* gain* gate* "
    "generate get give go govern grant* grow guarantee* halve happen harden harm* help* hide hinder hit* "
    "hold* host* identify ignore illustrate impair implement imply impose improve incentivize include "
    "increase* indicate induce influence* inform inherit inhibit inject innovate insist integrate intensify "
    "interact interest* introduce invalidate invert invest invite* involve isolate issue* join judge* "
    "justify keep kill know lack* lag* land* last launch* lead* leak* learn leave lend let leverage* lie* "
    "lift* limit* link* live lock* look* lose lower* maintain make manage manufacture map* march* mark* "
    "mask* match* matter* maximize mean measure* mediate meet merge migrate* minimize mirror* miss mitigate "
    "model* moderate monetize monitor* motivate move* multiply need* negate note* obscure observe occur "
    "offer* offset* open operate optimize order* organize originate outcompete outnumber outpace outperform "
    "overcome overestimate override* overstate overtake owe own pair* pay* peak* penalize perform permit* "
    "persist persuade place* plan* play* point* pose possess power* practice* precede predict prefer "
    "preserve press* prevent price* prioritize proceed process* produce* prohibit project* proliferate "
    "promise* promote prompt* propagate propose protect prove provide pull punish purchase* push* put raise "
    "range* rank* reach* react read* realize rebuild recede receive recognize recommend reconstruct recover "
    "reduce refer reflect reform* refuse regulate reinforce reject relate relax release* rely remain remove "
    "render repeat replace replicate report* represent reproduce request* require reset* reshape resist "
    "resolve respond rest* restore restrict result* retain retire return* reveal reverse reward* ride* rise* "
    "risk* route* rule* run* satisfy save* say scale* score* see seek* seem segment select self-organize "
    "sell send separate serve set* settle shape* share* shift* show* shrink shut sideline signal* signify "
    "simplify sink sit slow* solve sort* span* spark* speak spend split* spread* stabilize stall* stand* "
    "start* starve state* stay* steer stem stop store* strengthen strip structure* struggle* substitute* "
    "succeed suffer suggest suit supply* support* suppress surface* surpass survey* survive sustain swamp* "
    "switch* take target* teach tell tend test* think thought* thrive tie* tolerate trace* track* trade* "
    "train* transfer* transform* translate transmit treat* trigger* triple* trust* try* turn* undercut "
    "underestimate undermine understand understate undervalue unify unlock update* use* utilize validate "
    "value* vanish vary* verify view* vindicate violate wait want warrant* waste* watch* weaken weigh widen "
    "win* withdraw work* worsen write yield*"
)
BASES = frozenset(verb.rstrip("*") for verb in _VERBS)
NOUNS = frozenset(verb.rstrip("*") for verb in _VERBS if verb.endswith("*"))
PAST = _words(
    "arose ate became began bent bought broke brought built came caught chose cost cut dealt drew drove fell "
    "fed felt found fought flew forgot forgave gave went got grew had held hid hit kept knew laid led left "
    "lent let lost made meant met overcame overtook paid put ran rang read rose said sat saw sent set shook "
    "shot shrank shut sold sought spent split spoke spread stole stood stuck swept took taught thought threw "
    "told tore understood undercut won woke withdrew wore wrote become becomes begin begins grow draw draws "
    "hurt hurts fly"
)


def _inflected(base: str) -> set[str]:
    if base.endswith("e"):
        return {base, base + "s", base + "d"}
    if base[-1] == "y" and base[-2] not in "aeiou":
        return {base, base[:-1] + "ies", base[:-1] + "ied"}
    if base.endswith(("s", "x", "ch", "sh", "o")):
        return {base, base + "es", base + "ed"}
    return {base, base + "s", base + "ed", base + base[-1] + "ed"}


FINITE = AUXILIARY | PAST | frozenset(form for base in BASES for form in _inflected(base))
CONTRACTED = ("n't", "'ll", "'ve", "'re")
THIRD = frozenset(form for base in BASES for form in _inflected(base) - {base} if form.endswith("s"))


def finite(word: str) -> bool:
    """Whether a word in lower case can be a finite verb."""
    return word in FINITE or (word.startswith("re") and word[2:] in FINITE) or word.endswith(CONTRACTED)


def third_person(word: str) -> bool:
    """Whether a word can only be a verb's third person: "shows" is a noun too, "argues" is not."""
    return word in THIRD and word.rstrip("s") not in NOUNS and word[:-2] not in NOUNS
