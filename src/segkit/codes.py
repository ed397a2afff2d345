"""The codes of everything that `segkit check` finds: what each means, why it comes, and what mends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from segkit.diagnostics import Diagnostic, Severity

SYNTAX, UNKNOWN_KEY, MISSING_KEY, WRONG_TYPE, BAD_VALUE = "SEG001", "SEG002", "SEG003", "SEG004", "SEG005"
CONTRADICTION, UNKNOWN_NAME, UNKNOWN_COLUMN, COLUMN_TYPE = "SEG006", "SEG007", "SEG008", "SEG009"
BAD_SQL, CIRCLE, NAME_TAKEN, NOT_THERE, BAD_DATA = "SEG010", "SEG011", "SEG012", "SEG013", "SEG014"
DOUBTFUL_RULE, NO_EFFECT, IMPOSSIBLE_CONDITION, UNKNOWN_VALUE = "SEG020", "SEG021", "SEG022", "SEG023"
IDLE_RULE, DOUBTFUL_DATA = "SEG030", "SEG031"
NEVER_HOLDS, ALWAYS_HOLDS, SHADOWED, DEAD_BRANCH = "SEG101", "SEG102", "SEG104", "SEG106"
GRADE_OUT_OF_REACH, RFM_MAP, UNUSED_ALLOW = "SEG109", "SEG110", "SEG190"
VALUE_NOT_FOUND, HOLDS_FOR_NOBODY, HOLDS_FOR_EVERYBODY, TOO_SMALL = "SEG201", "SEG202", "SEG203", "SEG204"
HARDLY_REACHABLE, OVERLAP, HARDLY_KNOWN, BELOW_AVERAGE = "SEG205", "SEG206", "SEG207", "SEG208"
UNEXPECTED = "SEG209"


class Code(NamedTuple):
    """What a code stands for: `cause` and `mend` are sentences of the page of codes.

    `needs_data` says that it only shows with the data; `gives_threshold` that a note becomes a warning where the rule
    file itself says from where on.
    """

    name: str
    title: str
    cause: str
    mend: str
    severity: Severity = Severity.WARNING
    needs_data: bool = False
    gives_threshold: bool = False


def _error(name: str, title: str, cause: str, mend: str) -> Code:
    return Code(name, title, cause, mend, Severity.ERROR)


def _of_data(name: str, title: str, cause: str, mend: str) -> Code:
    return Code(name, title, cause, mend, needs_data=True)


def _note_of_data(name: str, title: str, cause: str, mend: str, *, gives_threshold: bool = False) -> Code:
    return Code(
        name=name,
        title=title,
        cause=cause,
        mend=mend,
        severity=Severity.NOTE,
        needs_data=True,
        gives_threshold=gives_threshold,
    )


CODES: Mapping[str, Code] = {
    SYNTAX: _error(
        "syntax",
        "The rule file is not TOML",
        "The text cannot be read: a quote or bracket is missing, a key stands there twice, the file is not UTF-8.",
        "Mend the line that is shown; all else is looked at once the text can be read.",
    ),
    UNKNOWN_KEY: _error(
        "unknown-key",
        "A key, section or operator that segkit does not know",
        "It is misspelt, stands in the wrong table, or belongs to another version.",
        "Take the name of the hint, or move the key to the table that has it.",
    ),
    MISSING_KEY: _error(
        "missing-key",
        "A key that a table needs is not there",
        "A source without `path`, an event table without `time`, a measure of money without `amount`.",
        "Add the key; the hint says what it is for.",
    ),
    WRONG_TYPE: _error(
        "wrong-type",
        "A value of another kind than its key needs",
        "A text where a number is needed, a table where a list is.",
        "Write the value as the message says; texts stand in quotes, numbers do not.",
    ),
    BAD_VALUE: _error(
        "bad-value",
        "A value that its key cannot have",
        "The kind is right, and the value is not among those that are possible: a share of 120 percent, a format that "
        "segkit does not write.",
        "Choose one that the message names.",
    ),
    CONTRADICTION: _error(
        "contradiction",
        "Keys that do not go together",
        "Two keys say different things, one needs another, or a list names something twice.",
        "Keep one of the two, or add what is missing.",
    ),
    UNKNOWN_NAME: _error(
        "unknown-name",
        "A name of something that the rule file does not have",
        "`in_segment`, `events`, `like`, `channel` or `priority` name a segment, table or channel that is not there.",
        "Correct the name, or add the section.",
    ),
    UNKNOWN_COLUMN: _error(
        "unknown-column",
        "A column that is not there",
        "The file has no such column, or no section computes it.",
        "Take a name of the hint, or add the section that computes the column.",
    ),
    COLUMN_TYPE: _error(
        "column-type",
        "A column of another type than a rule needs",
        "A comparison of numbers on a column of text, a date where there is none.",
        "Ask what the column can answer, or say its type with `types`.",
    ),
    BAD_SQL: _error(
        "bad-sql",
        "SQL that segkit cannot compute",
        "It cannot be parsed, has a function that segkit does not know, or values of types that do not fit.",
        "The message names the part; the reference lists the functions.",
    ),
    CIRCLE: _error(
        "circle",
        "Columns, segments or tables that need each other",
        "Each is made of the other, so none can be computed first.",
        "Compute one of them from something else.",
    ),
    NAME_TAKEN: _error(
        "name-taken",
        "Two things of one name",
        "A computed column has the name of another, a file that of the manifest.",
        "Choose another name, or `rename` the column of the file.",
    ),
    NOT_THERE: _error(
        "not-there",
        "A file, variable or package that this machine lacks",
        "An environment variable is not set, a file of cutoffs is not there, an extra is not installed.",
        "Set, write or install it; `${NAME:-default}` gives a variable a default.",
    ),
    BAD_DATA: Code(
        name="bad-data",
        title="Data that cannot be read as the rule file says",
        cause="A source is not there, a value cannot be read, a key comes twice or none matches.",
        mend="Mend the file, or say in the rule file how it is to be read.",
        severity=Severity.ERROR,
        needs_data=True,
    ),
    DOUBTFUL_RULE: Code(
        "doubtful-rule",
        "A rule that may not say what is meant",
        "A share of less than one percent, a segment without `channel` beside channels with rules, cutoffs of other "
        "rows than those that are scored, a password that stands in an address.",
        "The hint says what is likely meant; where the rule is right, `allow` it.",
    ),
    NO_EFFECT: Code(
        "no-effect",
        "A key that changes nothing",
        "`priority` where segments may overlap, a window without a day, a file in which no segment is written.",
        "Take it out, or add what gives it effect.",
    ),
    IMPOSSIBLE_CONDITION: Code(
        "impossible-condition",
        "A condition that no value satisfies, or each one",
        "A lower bound above the upper one, `missing = true` beside another operator, `did` with less than one event.",
        "Correct the bounds, or write what is meant as the hint does.",
    ),
    UNKNOWN_VALUE: Code(
        "unknown-value",
        "A stage, grade or RFM segment that nobody can have",
        "A condition asks for a name that no row of the map, no stage and no grade has.",
        "Take the name of the hint.",
    ),
    IDLE_RULE: _of_data(
        "idle-rule",
        "A list, consent, cap or lookup that says nothing about anybody",
        "The data may write the same values differently, or a file was not saved in full.",
        "Look whether both sides are written alike; take the rule out where it is not needed.",
    ),
    DOUBTFUL_DATA: _of_data(
        "doubtful-data",
        "Data that may be read in another way than meant",
        "Values count as missing, numbers read two ways, events of nobody, a table that ended long ago.",
        "The hint has the key of the source that settles it.",
    ),
    NEVER_HOLDS: Code(
        "never-holds",
        "A segment, stage or rule of a score that holds for nobody, whatever the data",
        "Criteria that must all hold exclude each other.",
        "Take out one of those that are named, or put them into `any`.",
    ),
    ALWAYS_HOLDS: Code(
        "always-holds",
        "A segment, stage or rule of a score that holds for everybody, whatever the data",
        "Its criteria leave nobody out.",
        "Correct them, or say `everyone = true`.",
    ),
    "SEG103": Code(
        "same-customers",
        "Two segments with the same customers, whatever the data",
        "Their criteria say the same in two ways, and both are written alike.",
        "Keep one of them.",
    ),
    SHADOWED: Code(
        "shadowed",
        "A segment or stage that those above it leave nobody for",
        "The first that holds counts, and each customer of this one is taken before.",
        "Move it up, or narrow those above it.",
    ),
    "SEG105": Code(
        name="implied-condition",
        title="A condition that others beside it imply",
        cause="It holds wherever the others hold, so it leaves nobody out.",
        mend="Take it out, or leave it for those who read the file.",
        severity=Severity.NOTE,
    ),
    DEAD_BRANCH: Code(
        "dead-branch",
        "A block of `any` or `none` that cannot hold",
        "Its criteria exclude each other, or what stands beside the list.",
        "Correct it, or take it out.",
    ),
    "SEG107": Code(
        "covered-branch",
        "A block of `any` or `none` that another one covers",
        "Whoever satisfies it satisfies another block of the list.",
        "Take the narrower one out.",
    ),
    "SEG108": Code(
        "excludes-nobody",
        "An exclusion that leaves nobody out",
        "Nobody who satisfies the rest can satisfy what is excluded.",
        "Take it out, or correct what it names.",
    ),
    GRADE_OUT_OF_REACH: Code(
        "grade-out-of-reach",
        "A grade that no score reaches",
        "The points of all rules together do not come to it, or another grade begins at the same points.",
        "Lower it, or raise the points or `max_score`.",
    ),
    RFM_MAP: Code(
        "rfm-map",
        "A map of RFM segments with holes, or with rows that nobody gets",
        "Some codes are in no row, or rows above take all the scores of a row.",
        "Add the codes or a last row that takes the rest; move the row up, or take it out.",
    ),
    "SEG111": Code(
        "unused-trait",
        "A trait or lookup that nothing reads",
        "No segment, score, stage or output names its columns.",
        "Use it, or take it out.",
    ),
    UNUSED_ALLOW: Code(
        "unused-allow",
        "An `allow` that silences nothing",
        "What it allowed is no longer found there.",
        "Take the name out of `allow`.",
    ),
    VALUE_NOT_FOUND: _of_data(
        "value-not-found",
        "A value that no row of the column has",
        "A condition asks for it; most often it is written differently in the data.",
        "Take a value of the hint; where it will come later, `allow` it.",
    ),
    HOLDS_FOR_NOBODY: _of_data(
        "holds-for-nobody",
        "A segment whose criteria hold for no customer of these data",
        "One criterion, or several together, leave nobody.",
        "`segkit explain RULES` shows how many are left after each criterion.",
    ),
    HOLDS_FOR_EVERYBODY: _note_of_data(
        "holds-for-everybody",
        "A segment whose criteria hold for each customer of these data",
        "The criteria leave nobody out.",
        "Say `everyone = true` if that is meant.",
    ),
    TOO_SMALL: _note_of_data(
        "segment-too-small",
        "Fewer customers can be reached than the segment needs",
        "Those who consent, are on no list and have a contact are fewer than `expect.min_size` or `min_size` of "
        "`[mavr]`, or than an experiment needs to tell its arms apart.",
        "Widen the criteria, or test with fewer variants or a larger holdout.",
        gives_threshold=True,
    ),
    HARDLY_REACHABLE: _note_of_data(
        "hardly-reachable",
        "Few members of a segment can be reached",
        "Fewer than `reach_percent` of `[mavr]` consent, are on no list and have a contact.",
        "Choose another channel, or ask for consent first.",
        gives_threshold=True,
    ),
    OVERLAP: _note_of_data(
        "overlap",
        "Two segments that share most of their customers",
        "90 percent or more of the smaller one are in the other one, too.",
        "Narrow one of them, or let each customer be in one only: `[assignment] mode = \"exclusive\"`.",
    ),
    HARDLY_KNOWN: _note_of_data(
        "hardly-known",
        "A segment whose criteria read a column that few customers have a value in",
        "Fewer than `known_percent` of `[mavr]` of all customers have one; without a value, a "
        "condition does not hold.",
        "Ask for something that is known of more customers, or fill the column.",
        gives_threshold=True,
    ),
    BELOW_AVERAGE: _note_of_data(
        "below-average-value",
        "The members of a segment are worth less than customers are on average",
        "Their mean profit, else revenue, else monetary value is below that of all customers; with `cost_per_contact`, "
        "what a contact earns is not above what it costs.",
        "Where value is not what the segment is for, `allow` it.",
        gives_threshold=True,
    ),
    UNEXPECTED: _of_data(
        "unexpected",
        "`expect` does not hold, so that `segkit apply` would publish nothing",
        "A segment writes fewer or more customers than it should, or the last event of a table is too old. What "
        "`max_change_percent` compares is another run, so `check` does not look at it.",
        "Look at what changed in the data or in the rules, or at the bound.",
    ),
}  # fmt: skip
"""What each code stands for."""


ALIASES = {"unused-lookup": "SEG111"}
"""Second names of codes."""


def code_named(text: str) -> str | None:
    """The code that a name or code stands for; None where there is none."""
    if text in CODES:
        return text
    return ALIASES.get(text) or next((code for code, about in CODES.items() if about.name == text), None)


def code_of(diagnostic: Diagnostic) -> str:
    """The code of a diagnostic; one that was made without a code is a plain fault of the rules."""
    if diagnostic.code:
        return diagnostic.code
    return BAD_VALUE if diagnostic.severity is Severity.ERROR else DOUBTFUL_RULE
