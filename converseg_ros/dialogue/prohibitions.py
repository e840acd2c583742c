"""Patterns of prohibitions and warnings: clauses that ask for a safety instruction, and cues of possible ones.

The patterns match lower-case text without contractions (see normal.py). `KEEP_OUT`, `LEAVE_ALONE` and `OFF_LIMITS` are
understood by the rules. The cues (see caution.py) are deliberately broader: a text with a cue that is not understood
completely is refused.
"""

# ruff: noqa: E501  # tables of words read better unwrapped
DET = r'(?:the|a|an|my|your|his|her|our|their|its|this|that|these|those|some|any|all|both|every|each|another|one|two|three|four|five)'

# --- patterns that are understood ----------------------------------------------------------------------------------

TOUCH = (
    r'(?:(?:(?:go|get|come|move|drive|reach|be)(?:ing)?|getting) (?:anywhere |too |any )?(?:near|nearer to|close to|closer to)|'
    r'(?:go|walk|drive|step|reach|run|roll|climb)(?:ping|ning|ing)? (?:in|into|on|onto|over|across|through|past|under|for)|running over|'
    r'touch(?:ing)?|approach(?:ing)?|(?:bump|run|drive|crash|walk)(?:ning|ing)? into|hit(?:ting)?|knock(?:ing)?(?: over| down| off)?|'
    r'mov(?:e|ing)|grab(?:bing)?|grasp(?:ing)?|tak(?:e|ing)|pick(?:ing)? up|pick(?:ing)?|lift(?:ing)?(?: up)?|push(?:ing)?|pull(?:ing)?|'
    r'disturb(?:ing)?|spill(?:ing)?|drop(?:ping)?|break(?:ing)?|hurt(?:ing)?|scar(?:e|ing)|damag(?:e|ing)|scratch(?:ing)?|squeez(?:e|ing)|'
    r'handl(?:e|ing)|us(?:e|ing)|open(?:ing)?|press(?:ing)?|bother(?:ing)?|cross(?:ing)?|enter(?:ing)?|block(?:ing)?|cut(?:ting)?|'
    r'(?:mess|play|fiddle|tamper|interfere)(?:ing)? with|tampering with|interfering with|come into contact with|'
    r'lean(?:ing)? (?:on|against)|sit(?:ting)? on|turn(?:ing)? on|switch(?:ing)? on)'
)
EVER = r'(?: ever| even| again| to| you| dare| be allowed to| allowed to| permitted to| supposed to| going to| also)*'
WHO = r'(?:you|the robot|robots?|the arm|the gripper|it|anyone|anybody|we|people|children|kids)'
FORBID = (
    rf'(?:(?:{WHO} )?(?:really |well |just )?(?:do|must|should|shall|may|can|are|is|will|ought|would better|had better|better) not{EVER}|'
    rf'(?:{WHO} )?(?:cannot|must never|should never|may never|can never|shall never|will never){EVER}|'
    rf'not(?: ever)? to|never{EVER}|'
    rf'(?:please |always |do )?(?:take (?:good |great |special )?care|be (?:very |really )?careful|careful|try|make sure|be sure|mind|remember|ensure|see to it)(?: that)?(?: you)?(?: do| must| should)? (?:not|never)(?: to)?(?: ever)?|'
    rf'(?:under|in|on|at|by) no (?:circumstances?|conditions?|case|account|time|means|event|way)(?: (?:should|may|must|can|do|shall|will|are|is) {WHO})?(?: allowed to| to)?(?: ever)?|'
    rf'i (?:do not want|would not like|will not have|forbid|prohibit) {WHO} to(?: ever)?|'
    rf'i would rather {WHO} (?:did|do) not|'
    rf'(?:{WHO} (?:is|are) |it is )?(?:strictly )?(?:forbidden|prohibited|not allowed|not permitted|banned)(?: for {WHO})?(?: to| from)?|'
    r'(?:please )?(?:refrain from|abstain from|desist from|stop|quit|cease|no more|absolutely no|no)(?= \w+ing\b)|'
    rf'(?:nobody|no one|no robot|nothing|no part of you)(?: ever)? (?:should|may|must|can|shall|will|is(?: allowed)? to|gets to)(?: ever)?)'
)
KEEP_OUT = (
    rf'{FORBID} {TOUCH}',
    r'(?:(?:you |the robot |the arm )?(?:need to |have to |must |should |shall |always )*)(?:keep|stay|steer|move|get|back|go|remain)(?: well| far| very far| at least [\w. ]+?| (?:the |your )?(?:robot|arm|gripper|hand|hands|fingers|yourself))? (?:away|clear|off|out)(?: from| of)?',
    r'(?:keep|stay) (?:a |your )?(?:safe |good |some |enough )?distance (?:from|to)',
    r'(?:keep|stay)(?: the \w+)? (?:at least |more than )?(?:an? |one |two |three |half an? |[\d.]+ )?(?:metres?|meters?|centimetres?|centimeters?|cm|m|feet|foot|steps?|inches?) (?:away )?(?:from|off)',
    r'(?:always |try to |you (?:should |must )?)?avoid(?: touching| hitting| going near| (?:any |all )?contact with)?', r'protect', r'beware(?: of)?', r'mind', r'spare',
    r'(?:warning|danger|caution|hands off|fingers off|away from)(?! (?:sign|label|light|triangle|tape|zone)s?\b)',
    r'(?:watch|look) out for', r'(?:be )?(?:very |really )?(?:careful|cautious|wary|mindful)(?: with| of| around| about| near)?',
    r'(?:do not|never) let (?:anyone|anybody|anything|it|them|the robot|people|children|kids|the kids|him|her) (?:touch|near|go near|get near|get close to|close to|come near|hit|bump into|knock over|at|get at|play with)',
    r'(?:nothing|nobody|no one|no robot|no part of you) (?:should|may|must|can|shall|is (?:allowed )?to|gets to) (?:ever )?(?:(?:come|go|get|move|be|pass|reach)(?: any)?(?: within [\w .]+? of| near(?:er)?(?: to)?| close(?:r)? to| into| onto))',
    r'(?:do not|never) (?:put|place|set|leave) (?:anything|something|things|stuff) (?:on|in|near|next to|onto)',
)  # fmt: skip
LEAVE_ALONE = r'(?:leave (?P<np>.+?) (?:well |completely )?(?:alone|untouched|where it is|where they are|as it is|as they are|in peace)|(?:do not|never) (?:pick|lift|knock|turn) (?P<up>.+) (?:up|over|off|on))'
HAZARD = (
    r'(?:dangerous|hot|boiling|scalding|burning|sharp|fragile|slippery|toxic|poisonous|risky|harmful|wet|icy|flammable|corrosive|caustic|explosive|'
    r'radioactive|electrified|live|shattered|alight|ablaze|on fire|freshly painted|freshly mopped)'
)
DANGEROUS = rf'(?:off limits|out of bounds|forbidden|prohibited|banned|taboo|no go|not allowed|not safe(?: to touch)?|unsafe|hazardous|untouchable|{HAZARD})'
# What is said of a thing that burns or shocks while it is on: "the stove is on", "the candle is lit".
IN_USE = r'(?:on|lit|running|plugged in|switched on|turned on)'
WHILE_ON = rf'(?P<np>(?:the|this|that|these|those|my|your)\b.*?) (?:is|are) (?:(?:still|already|now|always) )*{IN_USE}(?: (?:now|again|at the moment))?'
POWERED = (
    r'(?:[\w-]+ )*(?:gas|burner|power|electricity|current|wire|engine|motor|machine|gas tap)'  # no classes of things
)
# The words of a sign, without anything else.
SIGNS = r'(?:wet|slippery|icy) (?:floors?|paint|surfaces?|ground|roads?|stairs|steps?|tiles)|(?:fresh|freshly applied) paint|hot surfaces?|live wires?'
MUCH = r'(?:(?:very|really|still|too|quite|extremely|super|strictly|absolutely|completely|so) )*'
MOVED = r'(?:touched|moved|approached|disturbed|grabbed|grasped|taken|lifted|picked up|used|opened|pushed|pulled|handled|bumped|hit)'
OFF_LIMITS = (
    rf'(?P<np>(?:the|this|that|these|those|my|your|it)\b.*?) '
    rf'(?:(?:is|are) {MUCH}{DANGEROUS}(?: (?:now|today|here|for you|at the moment))?|'
    rf'(?:must|should|shall|may|can|is|are|cannot)(?: not| never)?(?: to)?(?: ever)? be (?:left alone|avoided)|'
    rf'(?:(?:must|should|shall|may|can|will|is|are)(?: not| never)|cannot)(?: to)?(?: ever)? be {MOVED})'
)
# Phrases after the object that do not change its meaning.
AFTERTHOUGHTS = (
    r'(?:[ ,]+(?:at all|ever|again|any ?more|under any circumstances|in any case|in any way|whatever happens|no matter what|for any reason|'
    r'at (?:any|all) costs?|for now|with your (?:gripper|hand|hands|arm)))+$'
)
PARTICLES = r'(?<! is)(?<! are) (?:up|over|away|down|around|apart|aside)$'  # 'do not pick the knife up'
# A guard is permanent: conditions and reasons are not passed to the network.
CONDITION = r'[ ,]+(?:from (?:water|fire|heat|dust|damage|falling|rain|sun|spills?|the (?:water|fire|heat|rain|sun))$|(?:if|when|while|whilst|unless|until|till|because|since|as long as|so that|so|or else|otherwise|for it|even)\b.*$)'

# --- phrases that cannot be guarded --------------------------------------------------------------------------------

EXCEPTION = r'\b(?:but|except|excepting|besides|save for|other than|apart from|aside from|with the exception of|excluding|only|instead)\b'
DANGLING = (
    r'(?:the|a|an|my|your|his|its|our|their|this|these|those|every|each|some|any|of|from|to|on|in|at|by|for|with|into|onto|over|under|near|next|'
    r'behind|between|beside|and|or|nor|but|not|no|is|are|very|really|too|that|which|who|i|you|we|be|do|must|should|may|can|never|please|if)'
)
ALL_OF_IT = r'(?:anything|everything|all|any|all of (?:it|them|that)|nothing|something|things?|stuff|whatever|here|there|the)(?: (?:here|there|else|at all|around|in here|you see|up))*'
ORDER = (
    r'\b(?:show|find|locate|highlight|pick up|pick|grab|grasp|fetch|get|give|bring|hand|pass|put|place|set|look for|look at|point to|take|'
    r'where (?:is|are)|what is|touch|tell|open|move)(?: down| up)? (?:me|us|it|the|a|an|my|your|some)\b'
)

NO_NOUN = (
    rf'{TOUCH}|\w+ing|up|down|off|over|away|out|by|back|well|just|really|now|like|so|yes|ok|man|sir|actually|kindly'
)

# --- cues -------------------------------------------------------------------------------------------------------------

# Words without a meaning of their own that may occur anywhere; removed before the search for cues.
INTERJECTIONS = (
    r'\b(?:well|just|really|now|man|sir|mate|buddy|honestly|seriously|actually|basically|literally|simply|totally|listen|yes|sorry|kindly|'
    r"i (?:repeat|mean|say|said|beg you)|you know|sort of|kind of|if you (?:please|do not mind|would|will)|for (?:\w+'?s?|the love of \w+) sakes?|"
    r'whatever (?:you do|happens)|no matter what(?: happens)?|(?:will|would|could) you|thank you|thanks|of course|like|robot|right|also|too|oh|so)\b'
)
# Cues without a negation, searched in the words of a text: the cue, and the words before it that make it harmless.
DESCRIBED = r'\b(?:what|which|who|whose|where|things?|something|anything|objects?|items?|tools?|someone|somebody)\b(?: [\w-]+){0,6}$'
FOR_USE = r'\b(?:what|which|that|tool|cloth|lid|cover|something|anything|thing|things|way|someone)(?: [\w-]+){0,3} (?:to|can|could|would|will|should)$'
QUALIFIED = rf'(?:\b{DET}|(?<=\w )that(?: [\w-]+){{0,4}}|\b(?:what|which|who|those|one|ones|there|things?|something|anything|where|how|most|more|least|somewhere)(?: [\w-]+){{0,4}})$'
# The text of a sign is part of its description, not a prohibition of the operator.
SIGN = (
    r'\b(?:sign|label|note|poster|sticker|plate)s? (?:that |which )?(?:says?|saying|reads?|reading)(?: (?!and\b|but\b|then\b|so\b)[\w-]+){1,4}|'
    r'\b(?:keep out|do not (?:enter|touch|disturb)|hands off|no \w+ing|no entry|off limits|danger|warning|caution|wet floor) (?:sign|label|sticker|poster|tape)s?\b'
)
CUES = (
    (r'\b(?:none|neither)(?: of)?(?: [\w-]+){0,4} (?:may|must|should|can|shall)\b', ''),
    (r'\bwatch (?:it\b|(?:the|your|that|out for) (?:step|edge|gap|floor|hands?|fingers?|head|arm|gripper)s?\b)|\bwide berth\b|\bhandle(?: [\w-]+){0,3} with care\b', DESCRIBED),
    (r'\bkeep(?: [\w-]+){0,2} (?:metres?|meters?|centimetres?|distance|space|room) (?:between|from|to)\b', FOR_USE),
    (r'\bthere (?:is|are) (?:a |some )?(?:danger|risk|hazard)s?\b', DESCRIBED),
    (r'\b(?:keeps?|stays?|steers?|remains?)(?: (?!and\b(?! (?:away|clear|off|out|back)\b)|put\b|take\b|pick\b)[\w.-]+){0,6}? (?:away|clear|off|out|back|distance)\b', FOR_USE),
    (r'\b(?:keep|stay)(?: (?!and\b)[\w.-]+){0,6}? (?:metres?|meters?|centimetres?|centimeters?|cm|m|feet|foot|steps?|inches?)(?: away)? (?:from|off)\b', FOR_USE),
    (r'\b(?:back|move|get|go|come|step|stand|draw|veer|shy|hands|fingers)(?: right| well| far| further)? (?:away|clear|back) (?:from|of)\b', FOR_USE),
    (r'\bback off\b|^(?:well |far )?away from\b', ''),
    (r'\b(?:hands|fingers|gripper|paws) off\b', r'\b(?:his|her|their|with)$'),
    (r'\bavoid(?:s|ed)?\b', DESCRIBED),
    (r'\b(?:be|being|very|really|more) (?:careful|cautious|wary|mindful)\b|^(?:please )?careful\b|\bcareful (?:with|of|around|about|near|not)\b', DESCRIBED),
    (r'\b(?:beware|heads up)\b|\b(?:watch|look) out\b|\bwatch your\b|\btake (?:\w+ )?care\b', DESCRIBED),
    (r'\b(?:caution|warning|danger)\b(?! (?:sign|label|light|triangle|tape|zone|area)s?\b)', rf'{QUALIFIED}|\b(?:of|in|no|a|into)$'),
    (r'\bmind (?:the|your|my|that|this|those|these|his|her)\b', r'\b(?:not|never|you|in|of)$'),
    (r'\b(?:protect|safeguard)\b', FOR_USE),
    (r'^(?:please )?spare (?:the|my|his|her|your)\b', ''),
    (r'\bleave(?: [\w-]+){1,7}? (?:alone|be|untouched|in peace|where (?:it|they) (?:is|are)|as (?:it|they) (?:is|are))\b|\blet (?:it|him|her|them|the \w+) be\b', ''),
    (r'\b(?:off limits|out of bounds|no go|forbidden|prohibited|banned|taboo|untouchable|hazardous|not safe|unsafe)\b', QUALIFIED),
    (rf'\b(?:is|are|gets?|getting|looks?|seems?|feels?|be) (?:(?:very|really|still|too|quite|extremely|super|so|a bit) )*{HAZARD}\b', QUALIFIED),
    (rf'\b(?:stop|quit|cease|leave off|no more|absolutely no|abstain from|desist from) (?=\w+ing\b){TOUCH}\b', ''),
    (r'\bbe (?:\w+ )?gentle\b|^(?:very |too )*(?:hot|sharp|dangerous|slippery|fragile|toxic|poisonous)$', ''),
    (r'^(?:danger )?high voltage$', ''),
    (r'\brefrain\b|\b(?:forbid|prohibit|disallow)\b', DESCRIBED),
    (r'\bwithout (?:touching|hitting|bumping|going near|getting near|knocking|disturbing)\b', r'^(?:(?:show|find|tell|point|look|me|us|to|for|at|out|please|the|a|an|my|is|are|there)\s)*(?:what|which|who|where|something|anything|the|a|an|my|is|are)\b.*$'),
)  # fmt: skip
