//! What speaks to an agent instead of to its task, as a table.
//!
//! Must not know how phrases are found.

use std::fmt;

/// What a suspicious text tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// To have earlier instructions ignored.
    Override,
    /// To give the agent another role, or none of its bounds.
    Role,
    /// To have the agent tell its instructions or secrets.
    Leak,
    /// To pass for another speaker, by the marks that part speakers.
    Marks,
    /// To have data sent somewhere.
    Exfiltration,
    /// To go unseen by people.
    Hidden,
    /// To have something kept beyond this task, or done without asking.
    Persistence,
}

impl Category {
    /// All categories.
    pub const ALL: [Self; 7] = [
        Self::Override,
        Self::Role,
        Self::Leak,
        Self::Marks,
        Self::Exfiltration,
        Self::Hidden,
        Self::Persistence,
    ];

    /// The category's name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Override => "override",
            Self::Role => "role",
            Self::Leak => "leak",
            Self::Marks => "marks",
            Self::Exfiltration => "exfiltration",
            Self::Hidden => "hidden",
            Self::Persistence => "persistence",
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Words that mean the same to a phrase.
pub(super) const CLASSES: &[(&str, &str)] = &[
    (
        "ignore",
        "ignore ignoring disregard disregarding forget forgetting override overriding bypass bypassing skip neglect discard dismiss abandon drop unlearn void suspend",
    ),
    (
        "prior",
        "previous prior preceding above earlier foregoing former past original initial existing current system all any every your",
    ),
    (
        "orders",
        "instructions instruction orders order rules rule guidelines guideline directives directive prompt prompts guidance commands constraints restrictions safeguards programming policies policy context",
    ),
    (
        "be",
        "be become act behave pretend roleplay simulate impersonate respond operate function",
    ),
    (
        "bounds",
        "restrictions restriction limits limitations filters filter rules guidelines constraints safeguards guardrails censorship ethics policies boundaries",
    ),
    (
        "tell",
        "reveal show print repeat output display tell disclose dump leak expose recite quote share summarize give return echo write",
    ),
    (
        "secret",
        "password passwords credentials credential secrets secret keys key token tokens apikey environment env passphrase",
    ),
    (
        "send",
        "send post upload forward transmit exfiltrate email mail submit deliver leak copy push fetch",
    ),
    (
        "place",
        "http https url webhook endpoint server www ftp attacker address curl",
    ),
    ("verbal", "say said tell told instructed asked"),
    (
        "approve",
        "approve approved authorize authorise confirm grant accept",
    ),
];

/// What it tries, its weight, and the words: `@class`, alternatives between bars, `~n` before a gap
/// of at most `n` words.
pub(super) const PHRASES: &[(Category, u32, &str)] = &[
    (Category::Override, 2, "@ignore ~3 @prior ~3 @orders"),
    (
        Category::Override,
        2,
        "@ignore ~2 everything|anything|all|what|whatever ~3 above|before|previously|earlier|told|said",
    ),
    (
        Category::Override,
        2,
        "do|don't|not|never|stop ~1 follow|following|obey|obeying|listen|heed ~3 @prior ~2 @orders",
    ),
    (
        Category::Override,
        2,
        "new|updated|real|actual|true ~1 instructions|instruction|orders|directive|task|prompt ~2 follow|below|are|is|supersede|override|replace",
    ),
    (
        Category::Override,
        2,
        "supersede|supersedes|override|overrides|overrule|overrules|replaces|replace ~3 @prior ~2 @orders",
    ),
    (
        Category::Override,
        2,
        "ignoriere|ignorier|vergiss|missachte ~4 vorherigen|bisherigen|obigen|früheren|alle ~3 anweisungen|anweisung|regeln|befehle",
    ),
    (
        Category::Override,
        2,
        "ignore|ignorez|oublie|oubliez ~4 instructions|consignes|règles ~2 précédentes|antérieures|ci",
    ),
    (
        Category::Override,
        2,
        "ignora|ignore|olvida|olvide ~4 instrucciones|reglas|órdenes ~2 anteriores|previas",
    ),
    (
        Category::Role,
        2,
        "you ~1 are|'re ~1 now ~3 dan|unrestricted|jailbroken|free|developer|evil|root|admin|uncensored|different|new|another",
    ),
    (Category::Role, 1, "you ~1 are ~1 now ~1 a|an|the|my|in"),
    (Category::Role, 1, "from ~0 now ~0 on ~3 you"),
    (
        Category::Role,
        2,
        "@be ~3 as|like|to|an|a ~3 unrestricted|uncensored|jailbroken|unfiltered|unaligned|dan|root|administrator",
    ),
    (
        Category::Role,
        2,
        "developer|dev|debug|god|maintenance|admin|jailbreak|sudo|unrestricted ~0 mode ~3 enabled|on|activated|active|engaged|unlocked|enable|activate|now",
    ),
    (
        Category::Role,
        2,
        "enter|enable|activate|switch|turn|unlock ~3 developer|god|jailbreak|unrestricted|sudo|dan ~1 mode",
    ),
    (
        Category::Role,
        2,
        "without|no|lift|remove|disable|ignore|drop|free|turn ~3 @prior|safety|content|ethical|moral|security|its ~2 @bounds",
    ),
    (
        Category::Role,
        1,
        "pretend ~2 you|that|to ~2 are|have|be|no",
    ),
    (Category::Role, 1, "act ~0 as ~2 a|an|the|if|my"),
    (
        Category::Leak,
        2,
        "@tell ~4 system|hidden|secret|initial|original|internal|full|developer|above ~2 prompt|prompts|instructions|message|rules|configuration",
    ),
    (
        Category::Leak,
        2,
        "@tell ~3 your ~2 prompt|instructions|rules|guidelines|@secret",
    ),
    (
        Category::Leak,
        2,
        "what ~1 are|is|were|was ~2 your ~2 instructions|prompt|rules|guidelines",
    ),
    (
        Category::Leak,
        2,
        "repeat|print|output|echo|recite ~4 words|text|everything|lines|message ~2 above|before|verbatim",
    ),
    (Category::Leak, 1, "@tell ~3 all|every|the|any ~3 @secret"),
    (
        Category::Exfiltration,
        2,
        "@send ~6 @secret|conversation|history|memory|data|files|file|contents|context|records ~5 @place|@send",
    ),
    (
        Category::Exfiltration,
        2,
        "@tell|@send|read|collect|gather|find|list|cat ~4 @secret ~4 and|then ~3 @send",
    ),
    (Category::Exfiltration, 1, "@send ~4 to ~2 @place"),
    (
        Category::Exfiltration,
        2,
        "append|encode|include|embed|attach|put ~5 @secret|conversation|memory|context|data ~5 @place|image|link|query|parameter",
    ),
    (
        Category::Hidden,
        2,
        "do|don't|never|not|without ~3 mention|tell|reveal|inform|notify|alert|telling|informing|notifying ~3 user|human|operator|anyone|owner|them",
    ),
    (
        Category::Hidden,
        2,
        "keep|hide|conceal ~3 secret|from|hidden ~2 user|human|operator|owner",
    ),
    (
        Category::Persistence,
        2,
        "remember|store|save|memorize|memorise ~4 always|forever|permanently|future ~4 @send|@ignore|@approve|trust|include|run|execute",
    ),
    (
        Category::Persistence,
        1,
        "from ~0 now ~0 on ~2 always|never",
    ),
    (
        Category::Persistence,
        2,
        "without ~1 asking|confirmation|approval|confirming|checking|permission ~4 run|execute|delete|transfer|pay|send|install|rm|deploy|merge",
    ),
    (
        Category::Persistence,
        2,
        "run|execute|delete|transfer|pay|install|deploy|merge|@approve ~6 without ~1 asking|confirmation|approval|confirming|checking|permission",
    ),
    (
        Category::Persistence,
        2,
        "raise|increase|set|elevate|change|promote ~4 trust|privilege|privileges|permissions|access ~2 level|score|to ~3 4|privileged|trusted|maximum|admin|root|highest",
    ),
    (
        Category::Persistence,
        1,
        "this ~0 is ~1 an|a ~2 order|emergency|instruction ~2 from ~2 administrator|admin|operator|owner|developer|ceo|system",
    ),
];

/// Literals, what they try, and their weights.
pub(super) const LITERALS: &[(&str, Category, u32)] = &[
    ("<|im_start|>", Category::Marks, 2),
    ("<|im_end|>", Category::Marks, 2),
    ("<|system|>", Category::Marks, 2),
    ("<|user|>", Category::Marks, 2),
    ("<|assistant|>", Category::Marks, 2),
    ("<|endoftext|>", Category::Marks, 2),
    ("<|eot_id|>", Category::Marks, 2),
    ("<|start_header_id|>", Category::Marks, 2),
    ("[inst]", Category::Marks, 2),
    ("[/inst]", Category::Marks, 2),
    ("<<sys>>", Category::Marks, 2),
    ("<</sys>>", Category::Marks, 2),
    ("### system", Category::Marks, 2),
    ("### instruction", Category::Marks, 2),
    ("###system", Category::Marks, 2),
    ("[system]", Category::Marks, 1),
    ("<system>", Category::Marks, 2),
    ("</system>", Category::Marks, 2),
    ("<system_prompt>", Category::Marks, 2),
    ("</user>", Category::Marks, 1),
    ("begin system message", Category::Marks, 2),
    ("end of system prompt", Category::Marks, 2),
    ("system override", Category::Override, 2),
    ("do anything now", Category::Role, 2),
    ("jailbreak", Category::Role, 1),
    ("rm -rf", Category::Persistence, 1),
    ("| sh", Category::Persistence, 1),
    ("| bash", Category::Persistence, 1),
    ("<!--", Category::Hidden, 1),
    ("display:none", Category::Hidden, 1),
    ("font-size:0", Category::Hidden, 1),
];
