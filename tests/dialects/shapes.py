"""Shapes of real files, each with its right answer, or with the message and the option that mends it.

Two questions are asked. Of events: what did each customer spend, when was he last there, what was the last note? Of
customers: who satisfies the condition? `filler` are the ordinary rows that are put between the first rows and the rest.
"""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import polars as pl

from tests.desk import zstd

HEADER = ("id", "day", "amount", "note")
ROWS = [("1", "2024-01-05", "10", "a"), ("2", "2024-01-06", "20", "b"), ("3", "2024-01-07", "30.5", "c d")]
ANSWER = {"1": "10|2024-01-05|a", "2": "20|2024-01-06|b", "3": "30.5|2024-01-07|c d"}


@dataclass(frozen=True)
class Shape:
    """A file, the keys of its source, and what comes of it."""

    name: str
    first: str
    """The header and the first rows."""
    answer: Mapping[str, str] = field(default_factory=lambda: ANSWER)
    """Key -> spent, last day and last note of an event file; who satisfies `criteria` of a customer file."""
    rest: str = ""
    """The rows after the ordinary ones."""
    keys: str = ""
    refused: str = ""
    """What the error says; nothing where the file is read."""
    code: int = 3
    """The exit code then."""
    mend: str = ""
    """The keys that are named by the error, and with which the answer is right."""
    warned: str = ""
    """What a warning says."""
    criteria: str = ""
    """The condition on customers; empty for a file of events."""
    filler: Callable[[int], str] | None = None
    """An ordinary row; none where the shape does not allow for any."""
    encode: Callable[[str], bytes] = str.encode
    file: str = "data.csv"
    extra: str = ""
    """What must be installed to read it."""

    def content(self, ordinary: int) -> bytes:
        """The file with so many ordinary rows."""
        between = "".join(map(self.filler, range(ordinary))) if self.filler else ""
        return self.encode(self.first + between + self.rest)


def lines(rows: Sequence[Sequence[str]], delimiter: str = ",", end: str = "\n", quote: str = "") -> str:
    return "".join(delimiter.join(f"{quote}{field}{quote}" for field in row) + end for row in rows)


def ordinary(delimiter: str = ",", end: str = "\n", quote: str = "", amount: str = "1.25") -> Callable[[int], str]:
    def row(number: int) -> str:
        return lines([(f"f{number}", "2024-01-15", amount, "ordinary")], delimiter, end, quote)

    return row


def as_zstd(text: str, encoding: str = "utf-8") -> bytes:
    return zstd(text.encode(encoding))


def as_gzip(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)


def one(name: str, text: str, **more: object) -> Shape:
    """An event file whose first two lines come before the ordinary rows, the others after them."""
    header = max(0, text.find("\nid"))
    start = text.index("\n", text.index("\n", header + 1) + 1) + 1
    settings: dict[str, object] = {"filler": ordinary(), "first": text[:start], "rest": text[start:], **more}
    return Shape(name, **settings)  # type: ignore[arg-type]


# --- layouts: delimiters, line ends, quotation marks, with and without a last line end ---

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
ENDS = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}
LAYOUTS = [
    Shape(
        f"{DELIMITERS[delimiter]}, {ENDS[end]}{', all quoted' if quote else ''}{'' if closed else ', no last line end'}",
        lines([HEADER, ROWS[0]], delimiter, end, quote),
        rest=lines(ROWS[1:], delimiter, end, quote)[: None if closed else -len(end)],
        filler=ordinary(delimiter, end, quote),
    )
    for delimiter, end, quote, closed in product(DELIMITERS, ENDS, ("", '"'), (True, False))
]
BASE = lines([HEADER, *ROWS])
LAYOUTS += [
    one("the separator in a first line", "sep=;\n" + lines([HEADER, *ROWS], ";"), filler=ordinary(";")),
    one("the separator in a first line, filled up", "sep=;;;;\n" + lines([HEADER, *ROWS], ";"), filler=ordinary(";")),
    one("the separator in a first line, quoted", '"sep=;"\n' + lines([HEADER, *ROWS], ";"), filler=ordinary(";")),
    one("the separator in a first line, CRLF", "SEP=|\r\n" + lines([HEADER, *ROWS], "|", "\r\n"),
        filler=ordinary("|", "\r\n")),
    one("blank lines first", "\n\n" + BASE),
    one("blank lines last", BASE + "\n\n\n"),
    one("a blank line between", BASE.replace("2,2024", "\n2,2024")),
    one("spaces around names", BASE.replace("id,day,amount", " id , day ,amount ")),
    one("a caret, given", lines([HEADER, *ROWS], "^"), keys='delimiter = "^"', filler=ordinary("^")),
    one("runs of spaces", " id  day        amount  note\n  1  2024-01-05     10  a\n  2  2024-01-06     20  b\n",
        answer={"1": "10|2024-01-05|a", "2": "20|2024-01-06|b"}, filler=None),
    one("a preamble", "Orders of the shop\nmade on 3 May\n\n" + BASE, refused="4 fields where the header has 1",
        mend="skip_lines = 3", filler=ordinary()),
    one("a preamble over one delimiter alone", "Orders of the shop\nmade on 3 May\n\n" + lines([HEADER, *ROWS], ";"), filler=None,
        refused="line 4 of `data.csv` names it", mend="skip_lines = 3", code=2),
    one("a preamble of semicolons", "Export;;;\n" + lines([HEADER, *ROWS], ";"), refused="names it", mend="skip_lines = 1",
        filler=None, code=2),
    one("a footer", BASE + "3 rows\n", refused="1 field where the header has 4", mend="skip_footer = 1"),
    one("two lines of footer", BASE + "\nTotal 60.5\nend of file\n", refused="1 field where the header has 4",
        mend="skip_footer = 2"),
    one("comments", "# orders\n" + BASE.replace("3,2024", "# half time\n3,2024"), refused="where the header has",
        mend='comment = "#"', filler=ordinary()),
    one("comments between", BASE.replace("3,2024", "# half time\n3,2024"), refused="1 field where the header has 4",
        mend='comment = "#"'),
    one("no header", lines(ROWS), refused="values such as `2024-01-05`",
        mend='header = ["id", "day", "amount", "note"]', filler=ordinary(), code=2),
    one("a header that is given, and skipped", BASE, keys='skip_lines = 1\nheader = ["id", "day", "amount", "note"]'),
    one("empty fields beyond", BASE.replace("b\n", "b,,\n"), refused="6 fields where the header has 4",
        mend='ragged = "cut"'),
    one("a comma behind each row", BASE.replace("a\n", "a,\n").replace("b\n", "b,\n").replace("c d\n", "c d,\n"),
        refused="5 fields where the header has 4", mend='ragged = "cut"', filler=None),
    one("a header that is given, and short", lines(ROWS), keys='header = ["id", "day", "amount"]', filler=None,
        refused="name all of them"),
    one("fields left out at the end", BASE.replace(",c d\n", "\n"), refused="3 fields where the header has 4",
        mend='ragged = "pad"', answer={**ANSWER, "3": "30.5|2024-01-07|"}),
    one("a delimiter without quotation marks", BASE.replace("c d", "c, d"), refused="5 fields where the header has 4"),
    one("backslashes before delimiters", BASE.replace("c d", "c\\, d"), refused="5 fields where the header has 4",
        mend='escape = "\\\\"', answer={**ANSWER, "3": "30.5|2024-01-07|c, d"}),
    one("gzip", BASE, encode=as_gzip, file="data.csv.gz"),
    one("gzip that is not called so", BASE, encode=as_gzip),
    one("zstd", BASE, encode=as_zstd, file="data.csv.zst"),
    Shape("zstd, CR", lines([HEADER, *ROWS], end="\r"), encode=as_zstd, file="data.csv.zst", extra="zstd"),
    one("a header that comes again among events", BASE.replace("3,2024", "id,day,amount,note\n3,2024"), refused="repeats the header",
        mend='where.id.not = "id"'),
    one("a header of each part", BASE.replace("2,2024", "id,day,amount,note\n2,2024").replace("3,2024", "id,day,amount,note\n3,2024"),
        refused="repeats the header", mend='where.id.not = "id"'),
    one("a total with a day", BASE + "Total,2024-01-08,60.5,\n", refused="looks like a total", mend="skip_footer = 1"),
    one("a total without a key", BASE + ",,60.5,\n"),
    one("a total without a day", BASE + "Total,,60.5,\n"),
    one("a text file of tabs", lines([HEADER, *ROWS], "\t"), file="data.tsv", filler=ordinary("\t")),
]  # fmt: skip

# --- quotation marks ---

INCHES = 'id,day,amount,note\n1,2024-01-01,10,5" nail\n2,2024-01-02,20,b\n3,2024-01-03,30,c\n4,2024-01-04,40,6" nail\n'
OF_INCHES = {
    "1": '10|2024-01-01|5" nail', "2": "20|2024-01-02|b", "3": "30|2024-01-03|c", "4": '40|2024-01-04|6" nail',
}  # fmt: skip
QUOTES = [
    one("inches", INCHES, answer=OF_INCHES),
    one("inches beside quoted fields", INCHES.replace(",b\n", ',"b, x"\n'), answer={**OF_INCHES, "2": "20|2024-01-02|b, x"}),
    one("an odd number of inches", INCHES.replace('6" nail', "6 nail"), answer={**OF_INCHES, "4": "40|2024-01-04|6 nail"}),
    one("inches at the end of fields", 'id,day,amount,note\nA0",2024-01-01,10,0"\nA1",2024-01-02,20,1"\n',
        answer={'A0"': '10|2024-01-01|0"', 'A1"': '20|2024-01-02|1"'}),
    one("doubled marks", BASE.replace("c d", '"say ""hi"""'), answer={**ANSWER, "3": '30.5|2024-01-07|say "hi"'}),
    one("a quoted delimiter", BASE.replace("c d", '"c, d"'), answer={**ANSWER, "3": "30.5|2024-01-07|c, d"}),
    one("a quoted line break", BASE.replace("c d", '"c\nd"'), answer={**ANSWER, "3": "30.5|2024-01-07|c\nd"}),
    one("quoted line breaks and inches", BASE.replace("c d", '"c\nd"').replace(",a\n", ',3" a\n'),
        answer={**ANSWER, "1": '10|2024-01-05|3" a', "3": "30.5|2024-01-07|c\nd"}),
    one("spaces before marks", BASE.replace("c d", ' "c, d"'), answer={**ANSWER, "3": "30.5|2024-01-07|c, d"}),
    one("spaces before all marks", lines([HEADER, *ROWS], ", ", quote='"'), filler=ordinary(", ", quote='"')),
    one("apostrophes around all", lines([HEADER, *ROWS], quote="'"), filler=ordinary(quote="'")),
    one("apostrophes around fields with a delimiter", BASE.replace("c d", "'c, d'"),
        refused="5 fields where the header has 4", mend='quote = "\'"', answer={**ANSWER, "3": "30.5|2024-01-07|c, d"}),
    one("an apostrophe in a name", BASE.replace("c d", "d'Arc"), answer={**ANSWER, "3": "30.5|2024-01-07|d'Arc"}),
    one("backslashes before marks", BASE.replace("c d", '"say \\"hi\\""'), refused="do not pair up", mend='escape = "\\\\"',
        answer={**ANSWER, "3": '30.5|2024-01-07|say "hi"'}),
    one("an open mark", BASE.replace(",b\n", ',"b\n'), refused="do not pair up", mend='quote = ""',
        answer={**ANSWER, "2": '20|2024-01-06|"b'}),
    one("an open mark that another one closes", BASE.replace(",a\n", ',"a\n').replace("c d", 'c"'),
        refused="reads as a record of its own", mend='quote = ""', filler=None,
        answer={**ANSWER, "1": '10|2024-01-05|"a', "3": '30.5|2024-01-07|c"'}),
    one("an open mark that the next line closes", BASE.replace(",a\n", ',"a\n').replace(",b\n", ',b"\n'),
        refused="reads as a record of its own", mend='quote = ""', filler=None,
        answer={**ANSWER, "1": '10|2024-01-05|"a', "2": '20|2024-01-06|b"'}),
    one("an open mark after a review of two lines",
        'id,comment,day,amount,note\n1,"ok\n2 hats, a, b, c",2024-01-05,10,a\n2,"b,2024-01-06,20,b\n3,c",2024-01-07,30.5,c d\n'
        '4,d,2024-01-07,"1\n5,d,2024-01-08,1,x\n6,e,2024-01-08,""",y\n', refused="reads as a record of its own", filler=None),
    one("an open mark before the key", BASE.replace("2,2024", '"2,2024').replace("c d", 'c"'), refused="reads as a record of its own",
        mend='quote = ""', filler=None, answer={"1": "10|2024-01-05|a", '"2': "20|2024-01-06|b", "3": '30.5|2024-01-07|c"'}),
    one("an address of two lines", BASE.replace("c d", '"Rue 1, Paris\n4, 5, x"'),
        answer={**ANSWER, "3": "30.5|2024-01-07|Rue 1, Paris\n4, 5, x"}),
    *(one(f"a review of two lines, {number}", f'id,comment,day,amount,note\n1,ok,2024-01-05,10,a\n2,"{text}",2024-01-06,20,b\n3,c,2024-01-07,30.5,c d\n',
          filler=None)
      for number, text in enumerate((
          "Great!\nWould buy 2 more, thanks", "2 hats, red\n1 scarf, blue", "Hi,\nmy order 4711 is late, very late",
          "Order 12345,\nOrder 12346, both late", "Villa Rosa\n12, rue de la Paix", "Super!\nBought 2, paid 30, 2, 3",
      ))),
    one("text after a closing mark", BASE.replace(",b\n", ',"b" or c\n'), refused="do not pair up", mend='quote = ""',
        answer={**ANSWER, "2": '20|2024-01-06|"b" or c'}),
    one("marks that mean nothing", INCHES, keys='quote = ""', answer=OF_INCHES),
]  # fmt: skip

# --- encodings ---

ACCENTS = BASE.replace("c d", "Orléans")
OF_ACCENTS = {**ANSWER, "3": "30.5|2024-01-07|Orléans"}


def encoded(name: str, mark: bytes = b"") -> Callable[[str], bytes]:
    return lambda text: mark + text.encode(name)


def broken(text: str) -> bytes:
    return text.encode() + b"9,2024-01-09,9,\xc3\n"


ENCODINGS = [
    one("UTF-8", ACCENTS, answer=OF_ACCENTS),
    one("UTF-8 with a mark", ACCENTS, answer=OF_ACCENTS, encode=encoded("utf-8", codecs.BOM_UTF8)),
    one("UTF-16, little", ACCENTS, answer=OF_ACCENTS, encode=encoded("utf-16-le", codecs.BOM_UTF16_LE)),
    one("UTF-16, big", ACCENTS, answer=OF_ACCENTS, encode=encoded("utf-16-be", codecs.BOM_UTF16_BE)),
    one("UTF-32, little", ACCENTS, answer=OF_ACCENTS, encode=encoded("utf-32-le", codecs.BOM_UTF32_LE)),
    one("UTF-32, big", ACCENTS, answer=OF_ACCENTS, encode=encoded("utf-32-be", codecs.BOM_UTF32_BE)),
    one("UTF-16 without a mark", ACCENTS, refused="NUL bytes", mend='encoding = "utf-16-le"', answer=OF_ACCENTS,
        encode=encoded("utf-16-le")),
    one("cp1252", ACCENTS, answer=OF_ACCENTS, encode=encoded("cp1252")),
    Shape("cp1252, CR", lines([HEADER, ROWS[0]], end="\r"), OF_ACCENTS, encode=encoded("cp1252"),
               rest=lines([ROWS[1], ("3", "2024-01-07", "30.5", "Orléans")], end="\r"), filler=ordinary(end="\r")),
    one("UTF-16, CR", ACCENTS, answer=OF_ACCENTS, filler=ordinary(),
        encode=lambda text: codecs.BOM_UTF16_LE + text.replace("\n", "\r").encode("utf-16-le")),
    one("zstd of cp1252", ACCENTS, answer=OF_ACCENTS, encode=lambda text: as_zstd(text, "cp1252"), file="data.csv.zst",
        extra="zstd"),
    one("zstd of UTF-16", ACCENTS, answer=OF_ACCENTS, encode=lambda text: as_zstd(text, "utf-16"), file="data.csv.zst",
        extra="zstd"),
    one("cp1252, given", ACCENTS, keys='encoding = "cp1252"', answer=OF_ACCENTS, encode=encoded("cp1252")),
    one("mac-roman, given", ACCENTS, keys='encoding = "mac-roman"', answer=OF_ACCENTS, encode=encoded("mac-roman")),
    one("cp1250, given", BASE.replace("c d", "Łódź"), keys='encoding = "cp1250"', encode=encoded("cp1250"),
        answer={**ANSWER, "3": "30.5|2024-01-07|Łódź"}),
    one("a byte that cp1252 lacks", BASE.replace("c d", "Orl\x8dans"), warned="unlikely",
        encode=lambda text: text.encode("latin-1"), answer={**ANSWER, "3": "30.5|2024-01-07|Orl\x8dans"}),
    one("a sign inside a word", BASE.replace("c d", "Orl¿ans"), warned="unlikely", encode=encoded("cp1252"),
        answer={**ANSWER, "3": "30.5|2024-01-07|Orl¿ans"}),
    one("a cut character in UTF-8", ACCENTS, refused="is UTF-8 but for some bytes", mend='encoding = ["utf-8", "cp1252"]',
        encode=broken, answer={**OF_ACCENTS, "9": "9|2024-01-09|Ã"}),
    one("lines of two encodings", ACCENTS, refused="is UTF-8 but for some bytes", mend='encoding = ["utf-8", "cp1252"]',
        encode=lambda text: text.encode() + "9,2024-01-09,9,Orléans\n".encode("cp1252"),
        answer={**OF_ACCENTS, "9": "9|2024-01-09|Orléans"}),
    Shape("lines of two encodings, CR", lines([HEADER, ROWS[0]], end="\r"), {**OF_ACCENTS, "2": "20|2024-01-06|Orléans"},
          refused="is UTF-8 but for some bytes", mend='encoding = ["utf-8", "cp1252"]',
          encode=lambda text: text.encode() + "3,2024-01-07,30.5,Orléans\r".encode() + "2,2024-01-06,20,Orléans\r".encode("cp1252")),
    one("UTF-8 as said, but it is not", ACCENTS, keys='encoding = "utf-8"', refused="not valid UTF-8",
        encode=encoded("cp1252")),
]  # fmt: skip

# --- amounts ---


def amounts(name: str, values: Sequence[str], total: str, delimiter: str = ";", **more: object) -> Shape:
    """One customer's amounts, which are added up; the ordinary rows have whole numbers that settle nothing."""
    rows = [("1", f"2024-01-{day:02}", value, "x") for day, value in enumerate(values, 1)]
    rows = [(*row[:2], f'"{row[2]}"' if delimiter in row[2] else row[2], row[3]) for row in rows]
    settings = {"filler": ordinary(delimiter, amount="7"), **more}
    text = lines([HEADER, *rows], delimiter)
    answer = {"1": f"{total}|2024-01-{len(values):02}|x"}
    return one(name, text, answer=answer, **settings)


NOTHING_SETTLES = "no value settles which, and it is added up"
AMOUNTS = [
    amounts("points", ["1.5", "2.25"], "3.75"),
    amounts("commas", ["1,5", "2,25"], "3.75"),
    amounts("commas in a comma file", ["1,5", "2,25"], "3.75", ","),
    amounts("grouped points, decimal commas", ["1.250,50", "2.000,00"], "3250.5"),
    amounts("grouped commas, decimal points", ["1,250.50", "2,000.00"], "3250.5"),
    amounts("two group marks", ["1.250.000", "890"], "1250890"),
    amounts("spaces between groups", ["1 250,50", "890"], "2140.5"),
    amounts("no-break spaces between groups", ["1\xa0250,50", "890"], "2140.5"),
    amounts("narrow no-break spaces", ["1\u202f250,50", "890"], "2140.5"),
    amounts("apostrophes between groups", ["1'250.50", "890"], "2140.5"),
    amounts("Indian groups", ["12,34,567.50", "1,00,000"], "1334567.5"),
    amounts("three digits after a point", ["1.250", "890", "12.400"], "14540", refused=NOTHING_SETTLES,
            mend='thousands = "."'),
    amounts("three digits after a point, decimal", ["1.250", "890"], "891.25", refused=NOTHING_SETTLES,
            mend='decimal = "."'),
    amounts("three digits after a comma", ["1,250", "890"], "2140", refused=NOTHING_SETTLES, mend='thousands = ","'),
    amounts("three digits that a longer number settles", ["1.250", "1500"], "1501.25", filler=None),
    amounts("three digits below one", ["0.125", "0.250"], "0.375"),
    amounts("more digits before the mark", ["1500.250", "1.250"], "1501.5"),
    amounts("dollars group by commas", ["$1,250", "$890"], "2140"),
    amounts("dollars beside a bare amount", ["1,250", "$5", "890"], "2145"),
    amounts("pounds in a comma file", ["£1,250", "£890"], "2140", ","),
    amounts("grouped commas in a comma file", ["1,250", "890"], "2140", ",", warned="could be 1.234"),
    amounts("brackets", ["(5.00)", "12.00"], "7"),
    amounts("brackets with a currency", ["($5.00)", "$12.00"], "7"),
    amounts("a trailing minus", ["5.00-", "12.00"], "7"),
    amounts("a real minus sign", ["\u22125.00", "12.00"], "7"),
    amounts("a plus", ["+5.00", "12.00"], "17"),
    amounts("exponents", ["9.9E-1", "1.5E+2", "1e1"], "160.99"),
    amounts("what floats leave", ["0.30000000000000004", "19.989999999999998"], "20.29"),
    amounts("too many decimals", ["0.12345678901", "1.5"], "1.5", refused="an amount of at most 10 decimals",
            mend='bad_values = "missing"', warned="cannot be read"),
    amounts("per cent", ["12 %", "8%"], "20", refused="cannot be read", mend='percent = "keep"'),
    amounts("per cent as shares", ["12 %", "8%"], "0.2", keys='percent = "divide"'),
    amounts("two currencies", ["$100.00", "€100.00"], "", refused="several currencies", filler=None),
    amounts("a sign and its code", ["€100.00", "100.00 EUR"], "200"),
    amounts("dashes", ["--", "12.00"], "12", refused="cannot be read", mend='null_values = ["--"]'),
    amounts("not available", ["n.a.", "12.00"], "12", refused="cannot be read", mend='null_values = ["n.a."]'),
    amounts("NULL is no number where nothing is missing", ["NULL", "12.00"], "12", keys="null_values = []",
            refused="cannot read `NULL`", mend=""),
    amounts("other signs and words", ["R$ 5.50", "R$12.00"], "17.5"),
    amounts("Polish", ["5,50 zł", "12 zł"], "17.5"),
    amounts("words with a full stop", ["Rs. 100", "Rs. 250"], "350"),
    amounts("words with a full stop beside points", ["1.50", "Rs. 100", "100 kr."], "", refused="several currencies", filler=None),
    amounts("words behind with a full stop", ["100 kr.", "2,5 kr."], "102.5"),
    amounts("reals with three decimals", ["R$ 5,899", "R$ 6,120"], "12.019", refused=NOTHING_SETTLES, mend='decimal = ","'),
    amounts("kroner", ["kr 5,50", "12 kr."], "17.5"),
    amounts("a sign beside a longer number settles the mark", ["1.250", "$1500"], "1501.25", filler=None),
    amounts("missing numbers", ["NA", "-", "12.00", "NULL", "n/a", "#N/A"], "12"),
    *(amounts(f"currency {mark}", [f"{mark}5.50", f"12.00 {mark}"], "17.5")
      for mark in ("$", "€", "£", "¥", "₹", "₩", "₽", "₺", "₪", "₫", "฿", "₴", "EUR", "CHF", "SEK", "BRL", "ZAR", "TRY")),
    amounts("a code of no list", ["XOF 500", "1200 XOF"], "1700"),
]  # fmt: skip

# --- days ---


def days(name: str, values: Sequence[str], last: str, **more: object) -> Shape:
    """The last day of one customer."""
    rows = [("1", value, "1.5", "x") for value in values]
    text = lines([HEADER, *rows], ";")
    settings = {"filler": None, **more}
    return one(name, text, answer={"1": f"{1.5 * len(values):g}|{last}|x"}, **settings)


ISO = ordinary(";")
ISO_TIMES = lambda number: f"f{number};2024-01-15T10:00:07;1.25;ordinary\n"  # noqa: E731 - one line of a table
DAYS = [
    days("ISO", ["2024-01-15", "2024-01-16"], "2024-01-16", filler=ISO),
    days("ISO with slashes", ["2024/1/15", "2024/01/16"], "2024-01-16"),
    days("ISO times", ["2024-01-15T10:00:07", "2024-01-16 11:00"], "2024-01-16", filler=ISO_TIMES),
    days("a day among times", ["2024-01-15T10:00:07", "2024-01-16"], "2024-01-16", filler=ISO_TIMES),
    days("a zone among times", ["2024-01-15T10:00:07", "2024-01-15T23:30:00-05:00"], "2024-01-16", filler=ISO_TIMES),
    days("Z among times", ["2024-01-15T10:00:07", "2024-01-16T00:30:00Z"], "2024-01-16", filler=ISO_TIMES),
    days("midnight at the end of a day", ["2024-01-15T10:00:07", "2024-01-15T24:00:00"], "2024-01-16", filler=ISO_TIMES),
    days("GMT", ["2024-01-15 10:00:00 GMT", "2024-01-16 10:00:00 GMT"], "2024-01-16"),
    days("month first, p.m. with a zone", ["06/30/2024 11:30 PM -0500", "06/13/2024 1:00 AM -0500"], "2024-07-01"),
    days("month first, noon and midnight", ["06/30/2024 12:30 AM", "06/13/2024 12:30 PM"], "2024-06-30"),
    days("day first", ["31/01/2024", "01/02/2024"], "2024-02-01"),
    days("day first with dots", ["31.01.2024", "1.2.2024"], "2024-02-01"),
    days("month first", ["01/31/2024", "02/01/2024"], "2024-02-01"),
    days("both ways", ["01/02/2024", "03/04/2024"], "2024-04-03", refused="no value settles which",
         mend='date_format = "%d/%m/%Y"'),
    days("compact", ["20240115", "20240116"], "2024-01-16"),
    days("English months", ["5 Jan 2024", "15-Jan-2024", "3 February 2024"], "2024-02-03"),
    days("English months first", ["Jan 5, 2024", "February 3rd, 2024"], "2024-02-03"),
    days("French months", ["5 janv. 2024", "12 mars 2024", "1er février 2024"], "2024-03-12"),
    days("German months", ["5. Januar 2024", "12. März 2024"], "2024-03-12"),
    days("Spanish months", ["5 de enero de 2024", "12 dic 2024"], "2024-12-12"),
    days("Italian months", ["5 gennaio 2024", "12 mag 2024"], "2024-05-12"),
    days("Portuguese months", ["5 de março de 2024", "12 out 2024"], "2024-10-12"),
    days("Dutch months", ["5 maart 2024", "12 mei 2024"], "2024-05-12"),
    days("two digits of a year", ["31.01.24", "01.02.24"], "2024-02-01", refused="date_format", code=2, mend='date_format = "%d.%m.%y"'),
    days("months in capitals, two digits of a year", ["05-MAR-24", "15-APR-24"], "2024-04-15", refused="date_format", code=2,
         mend='date_format = { day = "%d-%b-%y" }'),
    days("times with points", ["05-MAR-24 10.15.30.000000 PM", "15-APR-24 01.15.30.000000 AM"], "2024-04-15",
         refused="date_format", code=2, mend='date_format = { day = "%d-%b-%y %I.%M.%S%.f %p" }'),
    days("a day that is written otherwise", [*["2024-01-05"] * 20, "31.01.24"], "2024-01-31", refused="cannot read `31.01.24`",
         mend='date_format = ["%Y-%m-%d", "%d.%m.%y"]'),
    days("two digits of a year, first", ["24-06-05", "24-02-29"], "2024-06-05", refused="date_format", code=2,
         mend='date_format = { day = "%y-%m-%d" }'),
    days("no marks, month first", ["060124", "061524"], "2024-06-15", keys='types = { day = "date" }',
         refused='"%m%d%y"', mend='date_format = { day = "%m%d%y" }'),
    days("two and four digits of a year", ["05/06/24", "25/06/2024"], "2024-06-25", keys='date_format = ["%d/%m/%y", "%d/%m/%Y"]'),
    days("months", ["2024-05", "2024-06"], "2024-06-01", code=2, refused="months, which are no days",
         mend="", keys=""),
    days("dashes for days", ["2024-01-05", "--"], "", keys='types = { day = "date" }',
         refused='give `null_values = ["--"]`'),
    days("days of six digits", ["240125", "231103"], "2024-01-25", keys='types = { day = "text" }', refused='"%y%m%d"', code=2,
         mend=""),
    days("words before the month", ["born 5 Mar 2024", "born 6 Mar 2024"], "2024-03-06", keys='date_format = "born %d %b %Y"'),
    days("French months among ISO days", [*["2024-01-05"] * 20, "31 janv. 2024"], "2024-01-31", refused="cannot read `31 janv. 2024`",
         mend='date_format = { day = ["%Y-%m-%d", "%d %b %Y"] }'),
    days("German months, by a format", ["5. Mai 24", "12. Dez. 23"], "2024-05-05", keys='date_format = "%d. %B %y"'),
    days("two formats", ["31.01.2024", "2024/02/01"], "2024-02-01", keys='date_format = ["%d.%m.%Y", "%Y/%m/%d"]'),
    days("epoch", ["1705312800", "1705399200"], "2024-01-16", refused="date_format", code=2, mend='date_format = { day = "epoch" }'),
    days("epoch in milliseconds", ["1705312800000", "1705399200000"], "2024-01-16", refused="date_format", code=2,
         mend='date_format = { day = "epoch_ms" }'),
    days("epoch for the time", ["1705312800", "1705399200"], "2024-01-16", keys='date_format = "epoch"'),
    days("serial numbers of a spreadsheet", ["45306", "45307.5"], "2024-01-16", refused="date_format", code=2,
         mend='date_format = { day = "excel" }'),
    days("seconds by a format", ["1705312800", "1705399200"], "2024-01-16", keys='date_format = "%s"'),
    days("a named zone that is UTC", ["2024-01-15 01:30:00 UTC", "2024-01-16 01:30:00 UTC"], "2024-01-16",
         keys='date_format = "%Y-%m-%d %H:%M:%S %Z"'),
    days("a named zone that is none", ["2024-01-15 01:30:00 EST", "2024-01-16 01:30:00 UTC"], "", refused="%Z",
         keys='date_format = "%Y-%m-%d %H:%M:%S %Z"\ntypes = { day = "date" }'),
]  # fmt: skip

# --- customers: keys, texts, true and false ---


def customers(name: str, rows: Sequence[tuple[str, str]], criteria: str, who: str, **more: object) -> Shape:
    first, rest = rows[:1], rows[1:]
    settings: dict[str, object] = {"filler": lambda number: f"f{number},ordinary,z\n", **more}
    return Shape(
        name, "id,x,y\n" + lines([(*row, "y") for row in first]), dict.fromkeys(who.split(), ""),
        rest=lines([(*row, "y") for row in rest]), criteria=criteria, **settings,  # type: ignore[arg-type]
    )  # fmt: skip


def flags(number: int) -> str:
    return f"f{number},0,z\n"


TEXTS = [
    customers("padded texts", [("1", "FR"), ("2", "FR "), ("3", " FR"), ("4", "DE")], 'x = "FR"', "1 2 3"),
    customers("no-break spaces around texts", [("1", "FR"), ("2", "FR\xa0"), ("3", "\u200bFR\ufeff")], 'x = "FR"', "1 2 3"),
    customers("padded operands", [("1", "FR"), ("2", " FR ")], 'x = " FR"', "1 2"),
    customers("padded texts, one of", [("1", "FR"), ("2", "FR "), ("3", "DE")], 'x = ["FR", "IT"]', "1 2"),
    customers("padded texts that begin so", [("1", "FR1"), ("2", " FR2"), ("3", "DE")], 'x.starts_with = "FR"', "1 2"),
    customers("NULL beyond the sample", [("1", "a"), ("2", "NULL"), ("3", "\\N"), ("4", "#N/A"), ("5", "")],
              "x.missing = true", "2 3 4 5"),
    customers("NULL is a name", [("1", "a"), ("2", "NULL")], 'x = "NULL"', "2", keys="null_values = []"),
    customers("texts that are added", [("1", "a"), ("2", "Select"), ("3", "NULL")], "x.missing = true", "2 3",
              keys='null_values = ["Select"]'),
    customers("keys of formulas", [('="00123"', "a"), ("00124", "a")], 'x = "a"', "00123 00124"),
    customers("keys after an apostrophe", [("'00123", "a"), ("'t Hart", "a")], 'x = "a"', "00123 't_Hart"),
    customers("keys with zero-width characters", [("\u200b77", "a"), ("7\ufeff8", "a")], 'x = "a"', "77 78"),
    customers("missing keys", [("1", "a"), ("NULL", "a"), ("", "a"), ("N/A", "a")], 'x = "a"', "1"),
    customers("keys that lost digits", [("1.23457E+11", "a"), ("5", "a")], 'x = "a"', "1.23457E+11 5",
              refused="lost its last digits", mend="normalise_keys = []"),
    customers("a total", [("1", "a"), ("Total", "")], "everyone", "1", refused="looks like a total",
              mend="skip_footer = 1"),
    *(customers(f"a last line that says {text}", [("K1", "a"), ("K2", "b"), (text, "")], "everyone", "K1 K2",
                refused="looks like a total", mend="skip_footer = 1", filler=lambda n: f"f{n},ordinary,z\n")
      for text in ("Grand total", "Summe", "TOTAL:", "Total: 2", "2 rows", "2 records", "2 customers", "Stand 01.01.2025", "end")),
    customers("a total above other lines", [("K1", "a"), ("K2", "b"), ("Total", ""), ("Export of 1.1.2025", "")], "everyone", "K1 K2",
              refused="looks like a total", mend="skip_footer = 2", filler=lambda n: f"f{n},ordinary,z\n"),
    customers("texts with letters before numbers", [("1", "Ft 1"), ("2", "Ft 2"), ("3", "Rs 3")], 'x = "Ft 2"', "2", filler=None),
    customers("last keys of names", [("Anna", "a"), ("Jean Luc", "")], "everyone", "Anna Jean_Luc", filler=None),
    customers("a last key with a space among others", [("K 1", "a"), ("K2", "b"), ("K 3", "")], "everyone", "K_1 K2 K_3"),
    customers("a customer called Total", [("1", "a"), ("Total", "a")], 'x = "a"', "1 Total", keys="skip_footer = 0"),
    customers("a last line without a digit", [("1", "a"), ("2", "a"), ("3", "b"), ("Summary", "")], "everyone", "1 2 3",
              refused="looks like a total", mend="skip_footer = 1", filler=lambda n: f"f{n},ordinary,z\n"),
    Shape("a header that comes again", "id,x,y\n1,a,y\n", {"1": ""}, rest="id,x,y\n2,b,y\n", criteria='x = "a"',
          refused="repeats the header", mend='where.id.not = "id"', filler=lambda n: f"f{n},ordinary,z\n"),
    *(customers(f"booleans {yes} and {no}", [("1", yes), ("2", no), ("3", "")], "x = true", "1",
                keys='types = { x = "boolean" }', filler=flags)
      for yes, no in (("yes", "no"), ("Oui", "Non"), ("ja", "nein"), ("WAHR", "FALSCH"), ("vrai", "faux"), ("on", "off"),
                      ("sim", "não"), ("1.0", "0.0"), ("Y", "N"), ("TRUE", "FALSE"), ("si", "no"))),
    customers("ticks", [("1", "x"), ("2", ""), ("3", "✓")], "x = false", "2", keys='types = { x = "boolean" }', filler=None),
    customers("words for true", [("1", "aktiv"), ("2", "passiv")], "x = true", "1", filler=flags, refused="true_values",
              keys='types = { x = "boolean" }', mend='true_values = "aktiv"\nfalse_values = "passiv"'),
    customers("codes", [("1", "01234"), ("2", "1234")], 'x = "01234"', "1", filler=lambda n: f"f{n},99999,z\n"),
    customers("a latitude", [("1", "47.218"), ("2", "48.11")], "x.min = 48", "2", filler=None),
]  # fmt: skip

EVENTS = [*LAYOUTS, *QUOTES, *ENCODINGS, *AMOUNTS, *DAYS]
SHAPES = [*EVENTS, *TEXTS]


def as_parquet(text: str) -> pl.DataFrame:
    """The same rows with every column as text, for a typed source."""
    return pl.read_csv(text.encode(), infer_schema=False)
