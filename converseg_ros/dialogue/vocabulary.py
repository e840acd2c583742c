"""The vocabulary of the rules: wrappers, verbs, markers, and the words of each family.

All patterns match lower-case text without contractions (see normal.py).
"""

# ruff: noqa: E501  # tables of words read better unwrapped
from converseg_ros.core import Family
from converseg_ros.dialogue.prohibitions import DET as DET
from converseg_ros.dialogue.prohibitions import KEEP_OUT
from converseg_ros.knowledge import number_words

# Phrases before a request that do not change its meaning; removed repeatedly from the start of a clause.
WRAPPERS = (
    r'(?:the )?(?:next|first|last|another|one more|new) (?:thing|question|task|job)(?=$|[ ,]+(?:i|please|where|what|which|show|find|can|could))',
    r'(?:hey|hi|hello|ok|okay|yo|dear)',
    r'(?:robot|computer|machine|assistant|converseg)',
    r'(?:please|kindly|well|so|now|then|next(?! thing)|first(?! thing)|secondly|finally|alright|right|also|and|but|or|just|maybe|perhaps|actually)(?= )',
    r'after that',
    r'(?:would|do) you mind',
    r'(?:showing|finding|locating|highlighting|marking)(?: me| us)?(?= )',
    r'(?:can|could|would|will) you(?: please)?(?: be so kind(?: as)? to| mind)?(?! (?:see|use|hold|be))',
    r'i (?:would like|want|need|wish) (?:you )?to',
    r'i (?:would like|want|need)(?! to)',
    r'i (?:am|was) (?:looking|searching) for', r'i (?:cannot|could not) (?:find|see)', r'i (?:have )?(?:lost|misplaced)',
    r'(?:do|can|could) you (?:see|find|spot)',
    r'(?:do you know|i wonder|i would like to know|tell me|let me know)',
    r'(?:see|show|find|locate|highlight|mark|segment|outline|select|spot|detect|identify|display)(?: me| us| it)?(?= )',
    r'(?:point|pointing)(?: me)? (?:to|at|out)',
    r'(?:look|search) (?:for|at)', r'(?:have|take) a (?:quick )?look (?:for|at|whether|if)', r'(?:whether|if) there (?:is|are)',
    r'(?:let us )?(?:go |come )?back to(?= (?:the|my|a)\b)',
    r'(?:let me|let us) (?:see|look at|think)',
    r'(?:go|try) (?:and )?(?=(?:find|get|fetch|pick|look|grab))',
    r'(?:what|how) about',
    r'where (?:is|are)(?= (?:the|a|an|my|your|his|her|our|their|its|this|that|these|those|some|any|all|both|it(?! safe| ok| best)|they|one)\b)',
    r'(?:is|are) there(?= )', r'there (?:is|are)(?= )',
    r'which one is(?= the )',
    r'i (?:mean|meant|said)',
    r'(?:rather|instead)(?= )',
    r'(?:be )?careful(?= the )',
    r'make (?:it|that)',
)  # fmt: skip
# Phrases after a request that do not change its meaning.
TRAILERS = (
    r'please', r'thanks', r'thank you', r'thanks a lot', r'thank you very much', r'for me', r'robot', r'would you', r'will you',
    r'if you (?:do not mind|can|please|could)', r'instead', r'too', r'as well', r'now', r'right now', r'at the moment', r'ok', r'okay',
    r'for me please', r'again', r'rather', r'at all times',
)  # fmt: skip
FILLERS = r'\b(?:um+|uh+|er+m*|ehm+|hm+|mh+m*|ah|oh|(?<!do )you know|sort of|kind of)\b'
CORRECTION = r'(?:no hang on|hang on|no hold on|no|nope|no wait|wait|wait no|sorry|i mean|i meant|no i mean|sorry i mean|scratch that|make that|rather|actually|no actually|no sorry|oops|correction|no not that one|not that one|not that(?! one)|not this one)'

OBJECT = rf'(?:{DET}|it|them|something|anything|everything|whatever)'
GRASP = (
    r'(?:hand|give|bring|pass|get|fetch|grab|find|throw|lend|slide) (?:me|us|him|her)(?: over)?(?= \w)',
    r'gimme',
    r'(?:pick up|grab|grasp|take|lift up|fetch|collect|retrieve|reach for)',
    rf'(?:pick|lift|carry|hold|get|remove|use|bring|pass|reach|go to|open|close|shut|push|pull|press|turn on|turn off|switch on|'
    rf'switch off|unplug|plug in|turn|twist|wipe|clean|water|empty|fill|stir|cut|slice|peel|wash|move|throw|clear)(?= {OBJECT}\b)',
)
PLACE = r'(?:put|place|set|leave|lay|drop|stand|park|rest|store|stack)'
AT = r'(?:onto|on top of|on|into|inside|in|next to|beside|near|under|behind|in front of|at|between|by)'

ALLOW = (
    r'you (?:can|may|are allowed to) (?:touch|go near|get close to|go close to|approach|come near|move near|go to|pass|ignore|walk on|walk over|step on|drive on|drive over|go on|go over|cross|go into|enter) (?P<np>.+?)(?: again| now)*',
    r'(?P<np>(?:the|my|your|this|that|these|those)\b(?:(?! where| that| which)[\w ])*?|it|they|this|that) (?:is|are) (?:safe|fine|ok|okay|harmless|not dangerous|no longer dangerous|not hot|cold|(?:switched |turned )?off|unplugged|gone|no longer hot|no problem)(?: to touch)?(?: again| now| anymore| any more)*',
    r'(?:stop avoiding|stop keeping away from|no longer avoid|do not avoid|no need to avoid|you need not avoid|ignore) (?P<np>.+?)(?: anymore| any more| now)*',
    r'(?:remove|delete|clear|drop|lift|cancel|take off) (?:the |all |every |my )?(?:safety|keep[- ]out|keep[- ]away|warning|standing)(?: instructions?| zones?| areas?| rules?)?(?: (?:for|about|on|of|around) (?P<np>.+?))?',
)  # fmt: skip
COMMANDS = {
    'stop': r'(?:stop|wait|wait (?:a|one) (?:second|moment|minute|sec)|whoa|halt|freeze|stop (?:it|that|now|everything|there|moving|looking)|hold on|hold it|enough|that is enough|abort|cancel|cancel (?:it|that))',
    'forget': r'(?:(?:forget|drop|clear|cancel|delete|remove) (?:about )?(?:it|that|this|them|everything|all(?: of (?:it|that|them))?|all that)|never ?mind(?: (?:it|that|this|them))?|clear|leave it)',
    'reset': r'(?:start over|start again|reset|begin again|start from scratch|new conversation|from the beginning|let us start over)',
    'undo': r'(?:undo|undo (?:it|that)|go back|take (?:it|that) back|back|the previous one|back to the previous one|as before)',
    'repeat': r'(?:repeat|again|once more|do it again|try again|one more time|say that again|look again|try it again|repeat that)',
}  # fmt: skip
EVERYTHING = r'\b(?:everything|all)\b'
YES = r'(?:(?:yes|yeah|yep|yup|sure|ok|okay|right)[, ]+(?:please[, ]+)?(?:go ahead|do it|do that|please|that is right|i am sure|remove (?:it|them)|sure|of course)|yes|yeah|yep|yup|sure|correct|right|confirm|confirmed|do it|go ahead|yes please|i am sure|yes do it|yes remove (?:it|them)|that is right|affirmative|of course|ok|okay)'
NO = r'(?:(?:no|nope|nah)[, ]+(?:thanks|leave (?:it|them)|keep (?:it|them)|do not|better not|rather not|not yet|wait)|no|nah|not yet|nope|no thanks|do not|negative|keep (?:it|them)|no keep (?:it|them)|better not|no do not|leave (?:it|them)|rather not)'

CHAT = (
    r'(?:sorry|pardon|excuse me|what|huh|eh)(?:,? (?:what|me|again))?', r'(?:yeah|yes|ok|no|right)[, ]*(?:hi|hello|hey)(?: there| robot)?',
    r'how are you.*', r'who are you.*', r'what is your name.*', r'(?:hello|hi|hey|good (?:morning|evening|night|day)|bye|goodbye)(?: there| robot)?',
    r'thanks?(?: you)?.*', r'what time .*', r'(?:say|sing|joke|tell me a joke|a joke).*', r'what can you do.*', r'i (?:love|hate|like) .*', r'i am .*', r'(?:ok|okay|fine|good|great|nice|cool|perfect|well done)',
    r'what (?:day|year) .*', r'(?:how is )?the weather.*', r'(?:good|bad) (?:robot|job|boy|girl)', r'what do you (?:think|mean).*', r'why .*', r'how (?:do|does|did|can|old|long|far|much|many|is|was) .*', r'when .*',
)  # fmt: skip

DANGER = r'\b(?:danger|dangerous|hazard|hazards|hazardous|unsafe|risky|harmful|harm|hurt|injure|burns?|scald|poisonous|toxic|sharp|hot|choke|choking|electrocute|shock|careful|avoid)\b'
ANYTHING = r'^(?:what|which|who|whose|anything|everything|something|all|any|every|things?|objects?|items?|is anything|are any)\b'
NOT_TOUCH = r'\b(?:must|should|may|can|ought|shall|could|am|are|is)?\s?(?:i|you|we|one|it|robot|the robot|the arm)?\s?(?:must |should |may |can |ought |shall |to )?not (?:to )?(?:be )?(?:touch|touched|approach|approached|move|moved|grab|grabbed|near|go near|come near|disturb|disturbed)\b'
PERSON = r'(?:i|you|we|one|a robot|the robot|someone|somebody|a person|it|he|she|they|people|a child|the arm)'
ABILITY = (
    rf'\b(?:can|could|should|may|might|do|would|must|shall) (?:{PERSON}) (?:safely |best |easily |also )?\w+',
    r'(?<!about )(?<!going )(?<!trying )(?<!next )(?<!ready )(?<!likely )(?<!close )\bto (?:use|sit|cut|drink|eat|write|hold|grab|grasp|carry|pour|stir|open|close|clean|wipe|put|place|set|stand|lie|lean|store|hammer|dry|cook|serve|sleep|rest|lift|read|light|hang|play)\b',
    r'\b(?:can|could|would) (?:be used|cut|hold|contain|support|carry|open|pour|stir|spread|serve|fit|work as|bear|clean|light|write|soak|absorb|replace)\b',
    r'\b(?:used|useful|suitable|usable|good|handy|best|safe|meant|made) (?:for|to|as)\b',
    r'\bfor (?:cutting|drinking|writing|sitting|eating|cooking|cleaning|wiping|stirring|pouring|carrying|opening|holding|hammering|serving|drying|reading)\b',
    rf'\b(?:{PERSON}) (?:can|could|should|may|might) (?:safely |best |easily )?\w+',
    r'\b(?:free|empty|clear) (?:place|space|spot|area|surface|room)\b', r'\b(?:place|space|spot|room) (?:for|to)\b',
    r'\b(?:graspable|sittable|openable|usable|drinkable|edible)\b',
)  # fmt: skip

# Family: the first row with a matching word applies (physics before affordances: 'safely set down' is about safety).
FAMILIES: tuple[tuple[Family, str], ...] = (
    (
        Family.PHYSICS,
        r'\b(?:safe|safely|safest|unsafe|tip|tips|tipping|topple|fall|falls|fell|falling|fallen|would happen|unstable|stable|stability|balance|balanced|heavy|heaviest|fragile|break|breaks|shatter|hot|sharp|spill|burns?|dangerous|danger|hazard\w*|weight|load-bearing|roll away|roll off|rolls off|slip|slippery|collapse|collide|harm|hurt|toxic|poisonous|choke|choking|flammable|catch fire|careful|'
        r'not (?:be )?touch\w*|without (?:moving|touching|disturbing|knocking)|reach of)\b',
    ),
    (Family.AFFORDANCES, '|'.join(ABILITY)),
    (
        Family.RELATIONS,
        r'\b(?:holding|held|using|used by|cutting|facing|carrying|carried|wearing|worn|reaching|pouring|eating|drinking|riding|pushing|pulling|touching|leaning|looking at|watching|about to|feeding|handing|throwing|catching|walking|sitting on|sits on|talking|playing|filled with|connected to|attached to|plugged into|covering|covered|belongs to|in transit)\b',
    ),
    (
        Family.SPATIAL,
        r'\b(?:left|right|behind|in front of|front|next to|beside|between|above|below|under|underneath|on top of|top of|inside|outside|near|nearest|nearer|closest|close to|closer|far|farthest|furthest|farther|middle|center|centre|corner|edge|leftmost|rightmost|topmost|bottom|first|second|third|fourth|fifth|last|tallest|shortest|largest|biggest|smallest|opposite|around|beyond|across|highest|lowest|upper|lower|on the (?:table|tray|counter|shelf|floor|desk|plate|chair|sofa|bed|wall|stove|left|right|ground)|in the (?:box|bowl|drawer|basket|bag|cup|mug|sink|middle|corner|back|cupboard)|against|along|adjacent)\b',
    ),
    (Family.ENTITIES, r''),
)  # fmt: skip

STATEMENT = r'(?:somebody|someone|something|people|everybody|nobody|no one)(?:\'s| is| are| will| might| could) .*|(?:i|we) (?:cannot|can not|could not|do not|did not|have|had|am|are|was|were|will|already) .*|(?:it|they|this|that|he|she) (?:is|are|was|were|will|can|could|may|might|has|have|(?!one\b)\w+s)\b.*'
WARNING = r'(?:the )?(?:next|another|one more|first|last|new) (?:thing|question|task|job|up)|one more|(?:alright|right|so|well|ok|okay|see|let us see|let me see|let me think)(?: then)?|(?:be )?(?:very )?(?:careful|cautious)|watch out|look out|attention|warning|danger|hey|listen|look|robot'
PERSONS = r'(?:man|woman|person|boy|girl|child|kid|baby|guy|lady|cook|chef|people|men|women|children|operator|someone)'
WISH = r'\bi (?:want|need|have|would like|wish) to\b'

PARTICLES = r' (?:up|away|over here|over|here|to me|to us|off|on|out|with you|to (?:the|my) \w+)$'
SAFELY = r'(?:safely|somewhere safe|where it is safe|(?:in|at|to) (?:a|some) safe (?:place|spot))'
# any other imperative: a word that is not a preposition, question or quantity, followed by its object
ANY_VERB = (
    rf'(?!(?:{AT}|{DET}|not|only|just|like|of|to|with|without|above|below|than|half|except|are|is|do|does|did|can|could|where|'
    rf'what|which|who|how|everything|something|anything|things?)\b)[a-z]+(?= (?:the|a|an|my|your)\b)'
)
PREDICATE = r'(?:(?:on|in|at|behind|next to|under|above|below|near|inside|beside|between|in front of) .+|\w+)'
WRONG = (
    r'(?:(?:that|it|this) is )?(?:wrong|not it|not that|not right|not what i meant|not the one|the wrong one|incorrect)'
)
TOOL_USE = r'(?:cut|slice|peel|stir|write|draw|hammer|wipe|clean|dry|open|stab|mix|sweep|measure|light|cook|dig)'
DANGEROUS_THINGS = (
    r'(?:the )?(?:dangerous|hazardous|sharp|hot|unsafe|toxic) (?:things|objects|items|tools|stuff|parts|areas|places)'
)

# Starts of clauses, and words that connect them.
VERB = (
    rf'(?:show|find|locate|highlight|mark|segment|point|look|search|see|pick|grab|grasp|take|lift|fetch|hand|give|bring|pass|get|hold|'
    rf'carry|open|close|push|pull|press|turn|switch|use|go|stop|forget|avoid|undo|watch|tell|wipe|clean|move|i want|i would|'
    rf'can you|could you|please|then|also|what|where|which|who|is there|are there|{PLACE}|' + '|'.join(KEEP_OUT) + ')'
)
START = rf'(?:{VERB}|{DET}|something|anything|its|it|both|not)\b'
ATTACHED = r'(?:which (?:is|are|has)|that (?:is|are|has|i|you)|who (?:is|are|has)|with|without|if|when|while|because|but not|not|from|on|in|near|next to|so that|for)\b'
LIST_BLOCKERS = (
    r'\bbetween\b(?!.*\band\b)', r'^(?:what|where|which|who|how|is|are)\b', r'\b(?:that|which|who|whose)\b', r'\b(?:something|anything)\b',
    rf'^{PLACE}\b', r'\bboth\b', r'(?<!away )(?<!clear )(?<!out )(?<!off )\bfrom\b', r'\bto (?:put|place|cut|hold|carry|mix|stir|open|clean)\b',
)  # fmt: skip

# Noun phrases.
RELATIONS = FAMILIES[2][1]
PREPOSITION = (
    r'(?:on|in|at|of|behind|next|beside|between|above|below|under|underneath|inside|outside|near|nearest|closest|to|from|with|without|'
    r'by|for|against|along|across|over|into|onto|around|beyond|farthest|furthest|other|most|least|that|which|who|whose|where|'
    r'i|you|we|one can|closer|farther|left|right|there|here)'
)
ORDINALS, NUMBERS = number_words.ORDINALS[:10], number_words.CARDINALS[1:11]
QUALITY = (
    r'(?:bigger|smaller|larger|taller|shorter|higher|lower|closer|nearer|farther|left|right|upper|middle|next|red|blue|green|yellow|'
    r'white|black|brown|orange|pink|purple|gr[ae]y|big|small|large|tall|biggest|smallest|largest|tallest|shortest|nearest|closest)'
)
DEMONSTRATED = rf'\b(?P<w>this|that|these|those)(?=$| (?:{PREPOSITION[3:-1].replace("|that", "").replace("|i|", "|")})\b(?! (?:is|are)))'
ONE = r'\b(?P<pre>(?:the|an?|another|which|any|each|every)(?: (?!of\b)[a-z-]+){0,3}) (?P<one>ones?)\b(?! of\b| can\b)'
OTHER = r'(?:not (?:that|this|it)(?: one)?|(?:a |the )?(?:other|different|another)(?: one)?|another|something else|an other one)'

# Phrases with a reference to themselves: 'the plate with crumbs on it', 'a spot where I will not knock it over'.
OWN_IF = r'\b(?:if|when|once|because|unless) (?:it|they)\b.*'  # 'what would break if it fell'
OWN_IT = (
    r'\b(?:with|without|having|has|had) (?:(?!it\b)[\w-]+ ){1,5}?(?:on|in|under|inside|around|at|over|by|behind|through) (?:it|them)\b',
    r'\bwhere (?:i|you|we|nobody|no one|someone|the \w+) (?:(?!it\b)[\w-]+ )+?(?:it|them)\b',
    r'\bso (?:that )?(?:it|they|i|you|nobody|no one)\b.*',
    OWN_IF,
)
SOUGHT = r'(?:what|which|who|something|anything|everything|whatever)\b'  # a subject that OWN_IF may refer to
PLACES = (  # a place that precedes its content: 'second shelf, third box from the right'
    r'(?:on |in |at )?(?:the )?(?P<where>(?:first|second|third|fourth|fifth|last|top|bottom|middle|upper|lower|left|right) '
    r'(?P<place>shelf|row|rack|level|drawer|cupboard|cabinet|box|column|table|bench))'
)

# Words that the rules do not know; the text is refused with a reason.
DOUBTFUL = (
    r'^(?:do not|never|no|not|nor|nothing|nobody|no one|sorry|yeah|yep|yes|hi|hey|except|but|because|if|unless|until|to|of|for|and|or)\b',
    r'^(?:i|we|he|she|they|it|me|us|you|to me|for me|somebody|someone is|people are)\b',
    r'^(?:it|this|that|these|those|them|him|her|one|ones|there|here)$',
    r'^(?:the|a|an) (?:go|down|up|off|on|away|back|is|are|was|it|to|me|now|here|there|hang|hold|wait|sorry)\b',
    r'^(?!is\b|are\b|can\b|could\b|where\b|what\b|which\b|who\b|how\b|something\b|anything\b|everything\b)[a-z]+ (?:up|at|to|for|back|here|there|along|away|down|me|us|it|him|her|them|a bit|a little)\b',
    r'^(?!.*\b(?:what|which|where|who|that|whatever|everything|something|anything|how)\b).*\b(?:i am|i was|i will|i would|you are|you can|you could|you should|going to)\b',
)
