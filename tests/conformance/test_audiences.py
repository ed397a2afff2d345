"""Lists for advertising platforms: header, normal form and hash, honest counts, files that are not too long."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from segkit.rules.platforms import PLATFORMS
from tests.desk import ROOT, Desk, event_table, head

HEAD = head() + "[segment.all]\neveryone = true\n[output]\n"
FIELDS = ("email", "phone", "first_name", "last_name", "city", "state", "zip", "country")
PHONES = pytest.mark.extra("audiences")


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def audience(platform: str, *fields: str, more: str = "") -> str:
    """The output of a rule file whose customers have columns called as the fields."""
    given = "".join(f'{field} = "{field}"\n' for field in fields)
    return f'audience = "{platform}"\n{more}[output.fields]\n{given}'


def customers(*rows: dict[str, str]) -> pl.DataFrame:
    texts = [{"id": f"k{n}", **dict.fromkeys(FIELDS, ""), **row} for n, row in enumerate(rows)]
    return pl.DataFrame(texts, schema=["id", *FIELDS])


# What the pages say, worked out by hand: platform, field, what a file has, the country beside it, the normal form.
VECTORS = [
    ("google-ads", "email", "  Jane@Example.ORG ", "", "jane@example.org"),
    ("google-ads", "email", "Cloudy.SanFrancisco+shopping@Gmail.com", "", "cloudysanfrancisco@gmail.com"),
    ("google-ads", "email", "a.b@googlemail.com", "", "ab@googlemail.com"),
    ("google-ads", "email", "User.Name+NYC@Example.com", "", "user.name+nyc@example.com"),
    ("google-ads", "email", "a.b@notgmail.com", "", "a.b@notgmail.com"),
    ("google-ads", "email", "jane @example.org", "", "jane@example.org"),
    ("google-ads", "email", "ÉMILE@exämple.org", "", "émile@exämple.org"),
    ("google-ads", "first_name", "Mrs. Anna", "", "anna"),
    ("google-ads", "first_name", "PROF. DR. Anna  Maria", "", "anna maria"),
    ("google-ads", "first_name", "Drew", "", "drew"),
    ("google-ads", "first_name", "Jean-François", "", "jean-françois"),
    ("google-ads", "first_name", "Zoe\u0308", "", "zoë"),
    ("google-ads", "last_name", "\u00a0Groß ", "", "groß"),
    ("google-ads", "last_name", "O'Neill, Jr.", "", "o'neill"),
    ("google-ads", "last_name", "Ÿ ΑΘΗΝΑ", "", "ÿ αθηνα"),
    ("google-ads", "last_name", "O'Neill , Jr.", "", "o'neill"),
    ("google-ads", "email", "\ufeffjane@\u200bexample.org\u202c", "", "jane@example.org"),
    ("google-ads", "first_name", "Anna\t\u200b Maria\x01", "", "anna maria"),
    ("google-ads", "first_name", "می\u200cنا", "", "می\u200cنا"),
    ("meta", "email", " Jane.Doe+x@Gmail.com", "", "jane.doe+x@gmail.com"),
    ("meta", "first_name", "Jean-François", "", "jeanfrançois"),
    ("meta", "last_name", "O'Neill  Groß", "", "oneill groß"),
    ("meta", "city", "Saint-Étienne du Bois", "", "saintétiennedubois"),
    ("meta", "state", "New York", "", "newyork"),
    ("meta", "zip", "94016-1234", "US", "94016"),
    ("meta", "zip", "SW1A 1AA", "GB", "sw1a1"),
    ("meta", "zip", "SW1A 1AA", "uk", "sw1a1"),
    ("meta", "zip", "1012 AB", "NL", "1012ab"),
    ("meta", "zip", "01234", "DE", "01234"),
    ("meta", "zip", "D-01234", "DE", "01234"),
    ("meta", "zip", "941 23", "se", "94123"),
    ("meta", "zip", "75001.0", "FR", "75001"),
    ("meta", "zip", "94016.0", "US", "94016"),
    ("meta", "zip", "1010", "AT", "1010"),
    ("meta", "zip", "LV-1010", "LV", "lv-1010"),
    ("meta", "country", "EL", "EL", "gr"),
    ("meta", "country", " fr", " fr", "fr"),
    ("meta", "country", "UK", "UK", "gb"),
    ("tiktok", "email", "Jane Doe@gmail.com", "", "janedoe@gmail.com"),
]  # fmt: skip
NUMBERS = [
    ("02 61 91 60 94", "FR", "+33261916094"),
    ("0033 2 61 91 60 94", "FR", "+33261916094"),
    ("+33 (0)2 61 91 60 94", "FR", "+33261916094"),
    ("+33261916094", "", "+33261916094"),
    ("0170/1234567", "de", "+491701234567"),
    ("+49 170 1234567 ext. 12", "DE", "+491701234567"),
    ("(657) 777-0000", "US", "+16577770000"),
    ("1-657-777-0000", "US", "+16577770000"),
    ("011 44 20 7031 3000", "US", "+442070313000"),
    ("020 7031 3000", "UK", "+442070313000"),
    ("06 1234 5678", "IT", "+390612345678"),
    ("０３-１２３４-５６７８", "JP", "+81312345678"),
    ("491701234567", "DE", "+491701234567"),  # in Germany, a number may be as long
    ("49 170 1234567", "DE", "+491701234567"),
    ("491701234567.0", "DE", "+491701234567"),
    ("+33261916094,00", "FR", "+33261916094"),
    ("393912345678", "IT", "+393912345678"),
    ("3931234567", "IT", "+393931234567"),
    ("04931 12345", "DE", "+49493112345"),
    ("03.12.34.56.00", "FR", "+33312345600"),
]  # fmt: skip


@pytest.mark.parametrize(("platform", "field", "text", "country", "form"), VECTORS)
def test_normal_forms(desk: Desk, platform: str, field: str, text: str, country: str, form: str) -> None:
    row = {"email": "x@y.example", "first_name": "a", "last_name": "b", "country": country} | {field: text}
    desk.put("c.csv", customers(row))
    fields = [name for name in ("email", "first_name", "last_name", field) if name in PLATFORMS[platform].columns]
    fields = list(dict.fromkeys([*fields, *(["zip"] if platform == "google-ads" else []), "country"]))
    (found,) = desk.rows(HEAD + audience(platform, *fields))
    assert found[PLATFORMS[platform].columns[field].header] == sha(form)


def test_what_the_platforms_themselves_show() -> None:
    """The digests in TikTok's page of September 2025, and in Google's of enhanced conversions."""
    assert sha("janedoe@gmail.com") == "d6117306485ed0e50afab3ac871e98f81699151f30281527d63ff5f233656c69"
    assert sha("test@gmail.com") == "87924606b4131a8aceeeae8868531fbb9712aaa07a5d3a756b26ce0f5d6ca674"


@PHONES
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(("text", "country", "form"), NUMBERS)
def test_phone_numbers(desk: Desk, platform: str, text: str, country: str, form: str) -> None:
    desk.put("c.csv", customers({"phone": text, "country": country}))
    (found,) = desk.rows(HEAD + audience(platform, "phone", "country"))
    wanted = form.removeprefix("+") if platform == "meta" else form
    assert found[PLATFORMS[platform].columns["phone"].header] == sha(wanted)


@PHONES
def test_numbers_that_none_can_dial_go_nowhere(desk: Desk) -> None:
    texts = ["123", "0261916094", "n/a", "02 61 91 60 94 94 94 94", "02 61 91 60 94", "4.91701E+11", "0170 1234567"]
    countries = ["FR", "", "FR", "FR", "France", "DE", "XX"]
    desk.put("c.csv", customers(*({"phone": p, "country": c} for p, c in zip(texts, countries, strict=True))))
    done = desk.apply(HEAD + audience("meta", "phone", "country"))
    assert desk.read("segments/all.csv") == []
    told = " ".join(done.stderr.split()) + " ".join(done.stdout.split())
    assert "`phone`: 7 of 7 values not read as a phone number of its country, and left empty" in told
    assert "`country`: 2 of 6 values not read as two letters of ISO 3166-1" in told
    assert "02 61" not in told


NO_ADDRESSES = [
    "+shop@gmail.com", "...@gmail.com", "a@b", "a@b@x.example", "@x.example", "-", "mailto:a@x.example",
    "Jane <a@x.example>", "a@x.example,", "a@x.example; b@x.example", "'a@x.example'", "a@x..example", "a@x.example.",
    "a@x.1", "a@-x.example", "n/a@n/a.n/a", "a@x.example?subject=b", "a(b)@x.example",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_addresses_that_are_none_go_nowhere(desk: Desk, text: str) -> None:
    desk.put("c.csv", customers({"email": text}, {"email": "a@x.example"}))
    assert desk.rows(HEAD + audience("google-ads", "email")) == [{"Email": sha("a@x.example")}]


@pytest.mark.parametrize(
    ("field", "text", "country", "told"),
    [
        ("zip", "1234", "US", "`zip`: 1 of 2 values not read as a postcode of its country, and left empty"),
        ("zip", "1234-5678", "US", "`zip`: 1 of 2 values"),
        ("zip", "-", "", "`zip`: 1 of 2 values"),
        ("first_name", "-", "FR", "`first_name`: 1 of 2 values not read as a name"),
        ("last_name", "123", "FR", "`last_name`: 1 of 2 values not read as a name"),
        ("country", "ZZ", "ZZ", "`country`: 1 of 2 values not read as two letters of ISO 3166-1"),
    ],
)
def test_what_is_none_of_its_kind_goes_nowhere(desk: Desk, field: str, text: str, country: str, told: str) -> None:
    row = {"email": "a@x.example", "first_name": "A", "last_name": "Z", "zip": "01234", "country": "DE"}
    desk.put("c.csv", customers(row, {**row, "country": country, field: text}))
    done = desk.apply(HEAD + audience("google-ads", *POST))
    (_, found) = desk.read("segments/all.csv")
    assert found[PLATFORMS["google-ads"].columns[field].header] == ""
    assert told in " ".join((done.stdout + done.stderr).split())


@pytest.mark.parametrize("more", [None, 'null_values = ["n.a."]', "null_values = []"])
def test_texts_for_a_missing_value_are_no_names(desk: Desk, more: str | None) -> None:
    """`NULL` has a hash as any name has, and nobody sees that it is that of nothing."""
    texts = ["NULL", " \\N", "n.a.", "Ann"]
    desk.put("c.csv", customers(*({"email": "a@x.example", "first_name": t, "last_name": "Z"} for t in texts)))
    fields = audience("meta", "email", "first_name", "last_name")
    rules = HEAD.replace('key = "id"\n', f'key = "id"\n{more or ""}\n') + fields
    nothing = {None: texts[:2], 'null_values = ["n.a."]': texts[:3], "null_values = []": []}[more]
    names = ["" if t in nothing else t.strip().lower().replace(".", "").replace("\\", "") for t in texts]
    assert [row["fn"] for row in desk.rows(rules)] == [name and sha(name) for name in names]
    hidden = (
        HEAD.replace('key = "id"\n', f'key = "id"\n{more or ""}\n')
        + 'columns = ["first_name"]\nhash = ["first_name"]\n'
    )
    names = ["" if t in nothing else t.strip().lower() for t in texts]
    assert [row["first_name"] for row in desk.rows(hidden)] == [name and sha(name) for name in names]


ROWS = customers(
    {"email": "a@x.example", "first_name": "A", "last_name": "Z", "zip": "01234", "country": "DE"},
    {"first_name": "B", "last_name": "Y", "zip": "75001", "country": "fr"},  # found by post
    {"first_name": "C", "last_name": "Y", "zip": "75001"},  # not without a country
    {"email": "no address"},
    {"email": "", "country": "FR"},
)
POST = ("email", "first_name", "last_name", "zip", "country")


def test_a_file_for_google(desk: Desk) -> None:
    """Rows without key and label; whoever cannot be found is counted and left out; what is not hashed is plain."""
    desk.put("c.csv", ROWS)
    result = desk.json(HEAD + audience("google-ads", *POST))
    rows = desk.read("segments/all.csv")
    assert list(rows[0]) == ["Email", "First Name", "Last Name", "Country", "Zip"]
    assert [tuple(row.values()) for row in rows] == [
        (sha("a@x.example"), sha("a"), sha("z"), "DE", "01234"),
        ("", sha("b"), sha("y"), "FR", "75001"),
    ]
    (segment,) = result["segments"]
    assert (segment["written"], segment["without_identifier"]) == (5, 3)
    assert [(o["written"], o["rows"]) for o in segment["outputs"]] == [(2, 2)]
    manifest = json.loads((desk / "segments/manifest.json").read_text())
    assert manifest["output"]["audience"] == "google-ads"
    assert manifest["segments"][0]["without_identifier"] == 3
    assert manifest["segments"][0]["outputs"][0]["rows"] == 2
    kept = pl.read_parquet(desk / "segments/run/members.parquet")
    assert kept["key"].to_list() == ["k0", "k1", "k2", "k3", "k4"]
    protected = {one["column"]: one["protection"] for one in manifest["personal_data"]}
    assert protected["email"] == protected["last_name"] == "hash"
    assert protected["zip"] is None


def test_the_summary_says_who_cannot_be_found(desk: Desk) -> None:
    desk.put("c.csv", ROWS)
    done = desk.apply(HEAD + audience("google-ads", *POST))
    assert "no identifier" in done.stdout + done.stderr
    told = " ".join((done.stdout + done.stderr).split())
    assert "`all.csv` has 2 of 5 customers who can be found, and Google Ads works with 100 and more" in told
    assert "`email`: 1 of 2 values not read as an e-mail address, and left empty" in told
    desk.apply(HEAD + audience("google-ads", *POST), "--fail-on", "warning", code=1)


@pytest.mark.parametrize(("platform", "few"), [(name, one.fewest) for name, one in PLATFORMS.items()])
def test_the_smallest_list_that_is_worked_with(desk: Desk, platform: str, few: int) -> None:
    enough = customers(*({"email": f"{n}@x.example"} for n in range(few)))
    for rows, says in [(enough, False), (enough.head(few - 1), True)]:
        desk.put("c.csv", rows)
        warnings = desk.json(HEAD + audience(platform, "email"))["warnings"]
        assert bool(warnings) == says


@PHONES
def test_people_are_counted_and_not_their_lines(desk: Desk) -> None:
    """Two identifiers of one customer are two lines, and one whom the platform can find."""
    few = PLATFORMS["tiktok"].fewest
    rows = [{"email": f"{n}@x.example", "phone": f"0261{n:06}", "country": "FR"} for n in range(few)]
    rules = HEAD + audience("tiktok", "email", "phone", "country")
    desk.put("c.csv", customers(*rows[: few * 6 // 10], {}))
    told = [one["message"] for one in desk.json(rules)["warnings"]]
    assert "`all.csv` has 600 of 601 customers who can be found, and TikTok works with 1,000 and more" in told
    desk.put("c.csv", customers(*rows))
    assert not [one for one in desk.json(rules)["warnings"] if "can be found" in one["message"]]


@PHONES
def test_one_line_an_identifier(desk: Desk) -> None:
    both = {"email": "a@x.example", "phone": "02 61 91 60 94", "country": "FR"}
    desk.put("c.csv", customers(both, {"email": "b@x.example"}, {"phone": "02 61 91 60 95", "country": "FR"}, {}))
    result = desk.json(HEAD + audience("tiktok", "email", "phone", "country"))
    rows = [tuple(row.values()) for row in desk.read("segments/all.csv")]
    emails = [(sha(text), "") for text in ("a@x.example", "b@x.example")]
    phones = [("", sha(text)) for text in ("+33261916094", "+33261916095")]
    assert rows == [*emails, *phones]
    assert list(desk.read("segments/all.csv")[0]) == ["Email_SHA256", "Phone_SHA256"]
    (segment,) = result["segments"]
    assert [(o["written"], o["rows"]) for o in segment["outputs"]] == [(3, 4)]
    assert segment["without_identifier"] == 1


@PHONES
@pytest.mark.parametrize("platform", ["google-ads", "tiktok"])
def test_files_are_cut_at_the_limit(desk: Desk, monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    """Parts with numbers, each below the limit, which together are the whole list, in its order."""
    rows = [{"email": f"{n}@x.example" if n % 3 else "", "phone": "02 61 91 60 94", "country": "FR"} for n in range(20)]
    desk.put("c.csv", customers(*rows))
    rules = HEAD + audience(platform, "email", "phone", "country")
    desk.apply(rules)
    whole = [tuple(row.values()) for row in desk.read("segments/all.csv")]
    limit = 1_000
    monkeypatch.setitem(PLATFORMS, platform, PLATFORMS[platform]._replace(most_bytes=limit))
    outputs = desk.json(rules)["segments"][0]["outputs"]
    names = [Path(output["path"]).name for output in outputs]
    assert len(names) > 2
    assert names == [f"all.part{n}.csv" for n in range(1, len(names) + 1)]
    assert sorted(p.name for p in (desk / "segments").glob("*.csv")) == sorted(names)
    parts = [desk.read(f"segments/{name}") for name in names]
    assert all((desk / "segments" / name).stat().st_size < limit for name in names)
    assert [len(part) for part in parts] == [output["rows"] for output in outputs]
    assert sum(output["written"] for output in outputs) == 20
    found = [tuple(row.values()) for part in parts for row in part]
    assert sorted(found) == sorted(whole)
    assert found == whole or platform == "tiktok"  # there, each part has its e-mails before its numbers
    assert desk.segkit("diff", desk / "segments", desk / "segments").exit_code == 0
    kept = pl.read_parquet(desk / "segments/run/members.parquet")
    for output in outputs:
        keys = kept.filter(file=Path(output["path"]).name)["key"]
        assert len(keys) == output["written"]
    for key, name in [("k0", names[0]), ("k19", names[-1])]:
        told = json.loads(desk.segkit("explain", "--run", desk / "segments", key, "--json").stdout)
        assert told["customers"][0]["segments"][0]["list"] == name


@pytest.mark.parametrize("limit", [200, 201, 202, 1_000])
def test_files_are_just_below_the_limit(desk: Desk, monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """Header, quotation marks and line ends count; lists that nobody uploads are whole."""
    rows = [{"email": f"{n}@x.example"} for n in range(100)]
    desk.put("c.csv", customers(*rows))
    monkeypatch.setitem(PLATFORMS, "google-ads", PLATFORMS["google-ads"]._replace(most_bytes=limit))
    desk.apply(HEAD.replace("everyone = true\n", "everyone = true\nholdout = 30\n") + audience("google-ads", "email"))
    parts = [path for path in (desk / "segments").glob("*.csv") if "part" in path.name]
    assert max(path.stat().st_size for path in parts) == (limit - 1 - 6) // 65 * 65 + 6 < limit
    kept = pl.read_parquet(desk / "segments/run/members.parquet").filter(outcome="holdout")["key"]
    assert [row["Email"] for row in desk.read("segments/all.holdout.csv")] == [
        sha(f"{key[1:]}@x.example") for key in kept
    ]
    assert len(kept) > 16


def test_quotation_marks_count_for_the_limit(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"first_name": "A", "last_name": "Z", "zip": '"' * 200 + "1", "country": "AT"}
    desk.put("c.csv", customers(*[row] * 20))
    monkeypatch.setitem(PLATFORMS, "google-ads", PLATFORMS["google-ads"]._replace(most_bytes=3_000))
    desk.apply(HEAD + audience("google-ads", "first_name", "last_name", "zip", "country"))
    parts = list((desk / "segments").glob("*.csv"))
    assert len(parts) > 2
    assert max(path.stat().st_size for path in parts) < 3_000


def test_notes_and_counts_are_of_those_written(desk: Desk) -> None:
    """Of each list of a segment, and of nobody else."""
    desk.put(
        "c.csv", customers(*({"email": "none" if n % 2 else f"{n}@x.example", "city": "ab"[n < 10]} for n in range(40)))
    )
    rules = HEAD.replace("everyone = true\n", 'demographic.id.not = "k1"\neach = "city"\n') + audience("meta", "email")
    result = desk.json(rules)
    (segment,) = result["segments"]
    assert (segment["written"], segment["without_identifier"]) == (39, 19)
    assert [one["written"] for one in segment["outputs"]] == [15, 5]
    notes = [one["message"] for one in result["notes"] if "not read" in one["message"]]
    assert notes == ["`email`: 19 of 39 values not read as an e-mail address, and left empty"]


def test_the_file_of_a_customer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """`explain --run` names the part that has somebody, and none for whom the platform cannot find; so do later runs."""
    rows = [{"email": f"{n}@x.example" if n % 3 else ""} for n in range(40)]
    desk.put("c.csv", customers(*rows))
    more = '[segment.few]\ndemographic.id = "k1"\nholdout = 40\n'
    rules = HEAD.replace("[output]\n", f"{more}[output]\n") + audience("google-ads", "email")
    monkeypatch.setitem(PLATFORMS, "google-ads", PLATFORMS["google-ads"]._replace(most_bytes=500))
    desk.apply(rules)
    desk.apply(rules, "--select", "few", "-o", desk / "few", "--previous", desk / "segments")
    for folder in ("segments", "few"):
        kept = pl.read_parquet(desk / folder / "run/members.parquet").filter(list="all")
        parts = {f"all.part{n}.csv": desk.read(f"segments/all.part{n}.csv") for n in (1, 2, 3, 4)}
        assert {*kept["file"]} == {*parts, None}
        for name, found in parts.items():
            keys = kept.filter(file=name)["key"].to_list()
            assert [row["Email"] for row in found] == [sha(f"{key[1:]}@x.example") for key in keys]
        assert kept.filter(pl.col("file").is_null())["key"].to_list() == [f"k{n}" for n in range(0, 40, 3)]
    told = desk.segkit("explain", "--run", desk / "segments", "k3", "--segment", "all")
    assert "written, no identifier" in told.stdout
    told = desk.segkit("explain", "--run", desk / "segments", "k4", "--segment", "all")
    assert "no identifier" not in told.stdout
    desk.put("c.csv", customers(*rows[:3]))
    gone = desk.segkit("explain", "--run", desk / "segments", "k3", "k39", "k38", code=3).stderr
    assert "`k38` is in `all.part4.csv`" in " ".join(gone.split())
    assert "k39` is in" not in gone


def test_held_out_and_control_group(desk: Desk) -> None:
    """They go out in the same form: somebody may want to leave them out of a campaign; the keys are kept beside it."""
    desk.put("c.csv", customers(*({"email": f"{n}@x.example"} for n in range(300))))
    more = "[assignment]\ncontrol = 20\n[segment.all]\neveryone = true\nholdout = 30\n"
    result = desk.json(head() + more + "[output]\n" + audience("meta", "email"))
    (segment,) = result["segments"]
    files = {name: desk.read(f"segments/{name}.csv") for name in ("all", "all.holdout", "control")}
    assert all(list(rows[0]) == ["email"] for rows in files.values())
    kept = pl.read_parquet(desk / "segments/run/members.parquet")
    for name, outcome in [("all", "written"), ("all.holdout", "holdout"), ("control", "control")]:
        keys = kept.filter(outcome=outcome)["key"].to_list()
        assert [row["email"] for row in files[name]] == [sha(f"{key[1:]}@x.example") for key in keys]
    assert segment["written"] == len(files["all"])


def test_each_variant_has_a_file(desk: Desk) -> None:
    desk.put("c.csv", customers(*({"email": f"{n}@x.example"} for n in range(200))))
    split = '[segment.s]\neveryone = true\nsplit = { A = 50, B = 50 }\neach = "variant"\n'
    result = desk.json(head() + split + "[output]\n" + audience("meta", "email"))
    (segment,) = result["segments"]
    assert [o["values"] for o in segment["outputs"]] == [{"variant": "A"}, {"variant": "B"}]
    assert [o["written"] for o in segment["outputs"]] == list(segment["variants"].values())
    kept = pl.read_parquet(desk / "segments/run/members.parquet")
    for variant in ("A", "B"):
        keys = kept.filter(variant=variant)["key"].to_list()
        rows = desk.read(f"segments/s.{variant.lower()}.csv")
        assert [row["email"] for row in rows] == [sha(f"{key[1:]}@x.example") for key in keys]


def test_each_by_variant_without_an_audience(desk: Desk) -> None:
    desk.put("c.csv", "id,sex\n" + "".join(f"k{n},{'fm'[n % 2]}\n" for n in range(100)))
    rules = head() + '[segment.s]\neveryone = true\nsplit = { A = 50, B = 50 }\neach = ["sex", "variant"]\n'
    desk.apply(rules)
    for sex in "fm":
        for variant in "AB":
            rows = desk.read(f"segments/s.{sex}.{variant.lower()}.csv")
            assert {(row["sex"], row["variant"]) for row in rows} == {(sex, variant)}


def test_each_by_variant_needs_a_split(desk: Desk) -> None:
    desk.put("c.csv", "id,sex\na,f\n")
    done = desk.apply(head() + '[segment.s]\neveryone = true\neach = "variant"\n', code=2)
    assert "customers have no column `variant`" in done.stderr


def test_two_runs_are_compared(desk: Desk) -> None:
    """`diff`, `explain --run` and changes of the summary know the keys, which no list has."""
    desk.put("c.csv", customers(*({"email": f"{n}@x.example"} for n in range(5))))
    rules = HEAD.replace("[output]\n", '[output]\ndirectory = "one"\n') + audience("meta", "email")
    desk.apply(rules)
    desk.put("c.csv", customers(*({"email": f"{n}@x.example"} for n in range(7))).tail(6))
    desk.apply(rules.replace('"one"', '"two"'))
    found = json.loads(desk.segkit("diff", desk / "one", desk / "two", "--json", code=None).stdout)
    (segment,) = found["segments"]
    assert (segment["entered"], segment["left"], segment["stayed"]) == (2, 1, 4)
    done = desk.segkit("diff", desk / "one", desk / "two", "--entered", desk / "new.csv", code=None)
    assert done.exit_code in (0, 1)
    assert [row["id"] for row in desk.read("new.csv")] == ["k5", "k6"]
    desk.put("c.csv", customers(*({"email": f"{n}@x.example"} for n in range(4))))
    (again,) = desk.json(rules)["segments"]
    assert again["change"] == {"entered": 0, "left": 1}
    told = json.loads(desk.segkit("explain", "--run", desk / "two", "k3", "--json").stdout)
    assert "written" in json.dumps(told)


def test_what_came_of_it(desk: Desk) -> None:
    """`evaluate` finds those written and those held out by their keys."""
    desk.put("c.csv", customers(*({"email": f"{n}@x.example"} for n in range(400))))
    desk.put("o.csv", "id,day,total\n" + "".join(f"k{n},2024-03-{1 + n % 28:02d},10\n" for n in range(0, 400, 3)))
    orders = event_table("orders", "o.csv", 'amount = "total"')
    rules = head() + orders + "[segment.all]\neveryone = true\nholdout = 50\n[output]\n" + audience("meta", "email")
    desk.apply(rules)
    found = json.loads(desk.segkit("evaluate", desk / "segments", "--until", "2024-03-28", "--json").stdout)
    (segment,) = (one for one in found["segments"] if one["name"] == "all")
    assert sum(arm["customers"] for arm in segment["arms"]) == 400


def test_the_key_may_be_what_they_are_found_by(desk: Desk) -> None:
    desk.put("c.csv", "mail,name\nJane@Example.org,x\n")
    rules = head(key="mail") + '[segment.all]\neveryone = true\n[output]\naudience = "meta"\nfields.email = "mail"\n'
    assert desk.rows(rules) == [{"email": sha("jane@example.org")}]


def test_a_key_that_goes_out_hashed_stands_nowhere_in_clear(desk: Desk) -> None:
    """Not in what the run keeps for later ones, which know it all the same."""
    rules = head(key="mail") + "[assignment]\ncontrol = 20\n[segment.all]\neveryone = true\nholdout = 20\n"
    rules += '[output]\nhistory = true\ntrack = ["town"]\naudience = "meta"\nfields.email = "mail"\n'
    for first in (0, 5):
        desk.put("c.csv", "mail,town\n" + "".join(f"Jane{n}@Example.org,t{n % 3}\n" for n in range(first, first + 40)))
        done = desk.apply(rules, "-v")
        assert "example" not in (done.stdout + done.stderr).lower()
    for name, content in desk.tree().items():
        path = desk / "segments" / name
        text = str(pl.read_parquet(path).rows()) if path.suffix == ".parquet" else content.decode()
        assert "@example" not in text.lower(), name
    kept = pl.read_parquet(desk / "segments/run/members.parquet")
    assert len(kept) == 40
    assert sha("jane7@example.org") in kept["key"].to_list()
    told = json.loads(desk.segkit("explain", "--run", desk / "segments", "Jane7@Example.org", "--json").stdout)
    assert told["customers"][0]["segments"][0]["outcome"] in ("written", "holdout", "control")
    desk.apply(rules, "-o", desk / "two", "--previous", desk / "segments")
    desk.put("c.csv", "mail,town\n" + "".join(f"Jane{n}@Example.org,t{n % 3}\n" for n in range(50)))
    desk.apply(rules, "-o", desk / "three")
    desk.segkit("diff", desk / "two", desk / "three", "--entered", desk / "new.csv", code=None)
    assert len(desk.read("new.csv")) > 3
    assert {len(row["mail"]) for row in desk.read("new.csv")} == {64}


def test_numbers_are_as_lists_have_them(desk: Desk) -> None:
    """A postcode that a rule reads as a number has no point in a list, and none in what is hashed."""
    desk.put("c.csv", "id,mail,plz\na,a@x.example,1234.0\nb,b@x.example,5\n")
    rules = head() + "[segment.all]\ngeographic.plz.min = 1\n[output]\n"
    rules += 'audience = "meta"\nfields = { email = "mail", zip = "plz" }\n'
    assert [row["zip"] for row in desk.rows(rules)] == [sha("1234"), sha("5")]


@pytest.mark.parametrize("option", ["--buckets", None])
def test_in_buckets_as_in_one(desk: Desk, option: str | None) -> None:
    desk.put("c.csv", customers(*({"email": f"{n}@x.example"} for n in range(60))))
    rules = HEAD + audience("google-ads", "email")
    args = (option, 3) if option else ()
    assert [row["Email"] for row in desk.rows(rules, *args)] == [sha(f"{n}@x.example") for n in range(60)]


def test_standard_output_takes_one_list(desk: Desk) -> None:
    desk.put("c.csv", ROWS)
    rules = (
        head() + "[segment.a]\neveryone = true\n[segment.b]\neveryone = true\n[output]\n" + audience("meta", "email")
    )
    assert "2 lists of an audience cannot go to standard output" in desk.apply(rules, "-o", "-", code=2).stderr
    assert desk.rows(rules, "--select", "b") == [{"email": sha("a@x.example")}]


GOOGLE = audience("google-ads", "email")
WRONG = [
    (GOOGLE, 'hash = ["email"]\n', "`hash` is beside `audience`"),
    (GOOGLE, 'pseudonymise = ["id"]\n', "`pseudonymise` is beside `audience`"),
    (GOOGLE, 'columns = ["email"]\n', "`columns` is beside `audience`"),
    (GOOGLE, 'headers = { email = "x" }\n', "`headers` is beside `audience`"),
    (GOOGLE, "escape_formulas = true\n", "`escape_formulas` is beside `audience`"),
    (GOOGLE, 'delimiter = ";"\n', "`delimiter` is beside `audience`"),
    (GOOGLE, 'decimal = ","\ndelimiter = ";"\n', "`decimal` is beside `audience`"),
    (GOOGLE, "bom = true\n", "`bom` is beside `audience`"),
    (GOOGLE, "changes = true\n", "`changes` is beside `audience`"),
    (GOOGLE, 'combined = "all-of-them.csv"\n', "`combined` is beside `audience`"),
    pytest.param(GOOGLE, 'workbook = "x.xlsx"\n', "`workbook` is beside `audience`", marks=pytest.mark.extra("excel")),
    (GOOGLE, 'to = "sqlite:x.db"\ntable = "t"\n', "`to` is beside `audience`"),
    (GOOGLE, 'format = "parquet"\n', "Google Ads takes CSV, and `format` is `parquet`"),
    ('audience = "google-ads"\n', "", "an audience needs `fields`"),
    ('fields.email = "email"\n', "", "`fields` are of an audience, and there is no `audience`"),
    (audience("google-ads", "city", "email"), "", "Google Ads takes no `city`"),
    (audience("tiktok", "first_name", "email"), "", "TikTok takes no `first_name`"),
    (audience("google-ads", "country"), "", "Google Ads finds nobody by these `fields`"),
    pytest.param(
        audience("google-ads", "email", "phone"), "", "`phone` needs a `country`", marks=pytest.mark.extra("audiences")
    ),
    (audience("google-ads", "email", "first_name"), "", "`first_name` alone finds nobody"),
    (GOOGLE, 'track = ["email"]\n', "`track` keeps the values of `email`, and `audience` is there to hide them"),
    ('audience = "snap"\nfields.email = "email"\n', "", "`audience`"),
    ('audience = "meta"\nfields.email = "emial"\n', "", "customers have no column `emial`"),
    ('audience = "meta"\nfields.mail = "email"\n', "", "`mail`"),
]  # fmt: skip


@pytest.mark.parametrize(("output", "more", "says"), WRONG)
def test_what_does_not_go_together(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, output: str, more: str, says: str
) -> None:
    monkeypatch.setenv("SEGKIT_PSEUDONYMISE_KEY", "x" * 32)
    desk.put("c.csv", ROWS)
    done = desk.apply(HEAD + more + output, code=2)
    assert says in " ".join(done.stderr.split())
    assert "rules.toml:" in done.stderr
    assert not (desk / "segments").exists()


@pytest.mark.parametrize(("column", "code"), [("city", 0), ("last_name", 2)])
def test_names_of_files_tell_of_a_city_and_of_no_customer(desk: Desk, column: str, code: int) -> None:
    desk.put("c.csv", ROWS)
    rules = HEAD.replace("everyone = true\n", f'everyone = true\neach = "{column}"\n')
    done = desk.apply(rules + audience("meta", "email", "first_name", "last_name", "city"), code=code)
    told = "`each` puts the values of `last_name` into names of files, and `audience` is there to hide them"
    assert (told in " ".join(done.stderr.split())) == bool(code)


def test_a_split_without_a_file_for_each(desk: Desk) -> None:
    desk.put("c.csv", ROWS)
    rules = HEAD.replace("everyone = true\n", "everyone = true\nsplit = { A = 50, B = 50 }\n") + GOOGLE
    done = desk.apply(rules, code=2)
    assert "`split` writes a column `variant`, and Google Ads takes none" in " ".join(done.stderr.split())
    assert 'each = "variant"' in done.stderr


def test_phone_numbers_need_an_extra(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "phonenumbers", None)
    desk.put("c.csv", ROWS)
    done = desk.apply(HEAD + audience("meta", "phone", "country"), code=2)
    assert 'pip install "segkit-cli[audiences]"' in " ".join(done.stderr.split())
    desk.segkit("explain", desk / "rules.toml", "k1")  # nothing goes out
    desk.segkit("check", desk / "rules.toml")
    desk.apply(HEAD + audience("meta", "email", "country"))


# --- the examples ---


def example(name: str) -> list[dict[str, str]]:
    encoding = "cp1252" if "AdventureWorks" in name else "utf-8"
    with (ROOT / "examples" / name).open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_customers_of_a_bicycle_shop_go_out(desk: Desk, platform: str) -> None:
    shop = ROOT / "examples/adventureworks/AdventureWorks_Customers.csv"
    rules = head(path=str(shop), key="CustomerKey") + "[segment.graduates]\nsql = \"EducationLevel = 'Bachelors'\"\n"
    names = 'first_name = "FirstName"\nlast_name = "LastName"\n' if platform == "meta" else ""
    rules += f'[output]\naudience = "{platform}"\n[output.fields]\nemail = "EmailAddress"\n{names}'
    (segment,) = desk.json(rules)["segments"]
    wanted = [c for c in example("adventureworks/AdventureWorks_Customers.csv") if c["EducationLevel"] == "Bachelors"]
    rows = desk.read("segments/graduates.csv")
    columns = PLATFORMS[platform].columns
    assert len(rows) == len(wanted) == segment["written"] > 5_000
    assert [row[columns["email"].header] for row in rows] == [sha(c["EmailAddress"].strip().lower()) for c in wanted]
    if names:
        first = [row["fn"] for row in rows]
        plain = ["".join(x for x in c["FirstName"].lower() if x.isalpha() or x == " ") for c in wanted]
        assert first == [sha(name) for name in plain]


@PHONES
@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_leads_of_a_coffee_seller_go_out(desk: Desk, platform: str) -> None:
    path = ROOT / "examples/leads/leads.csv"
    rules = head("derive = { country = \"'FR'\" }", path=str(path), key="lead_id", as_of="2024-06-30")
    rules += '[segment.all]\neveryone = true\n[output]\naudience = "' + platform
    rules += '"\nfields = { email = "email", phone = "phone", country = "country" }\n'
    (segment,) = desk.json(rules)["segments"]
    leads = example("leads/leads.csv")
    rows = desk.read("segments/all.csv")
    column = PLATFORMS[platform].columns["phone"]
    numbers = ["".join(filter(str.isdigit, lead["phone"])) for lead in leads]
    dialled = [("+" if column.form == "e164" else "") + "33" + n[1:] for n in numbers if n]
    assert [row[column.header] for row in rows if row[column.header]] == [sha(number) for number in dialled]
    assert segment["written"] == len(leads)
    assert len(dialled) > 100
