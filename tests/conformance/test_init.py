"""`segkit init`: rules that run at once on the files they were made for, of which nothing personal is written down."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segkit.operations.personal.permission import consents
from segkit.operations.starting.template import TEMPLATES
from tests.desk import ROOT, Desk

SHOP = """customer_id;name;courriel;né le;ville;revenu annuel;enfants;optin_email;remarque;segment
00001;Zoé Léger;zoe@ex.org;12/03/1980;Orléans;"90 000,50 €";2;oui;Select;A
00002;Bob Roux;bob@ex.org;25/12/1990;Orléans;"60 000,00 €";0;non;NA;B
00003;Cat Vidal;;30/06/1975;Tours;"41 500,25 €";1;oui;;A
00004;Dan Petit;dan@ex.org;;Orléans;"38 250,75 €";5;oui;Select;A
00005;Ève Noël;eve@ex.org;13/01/2001;Angers;"22 100,00 €";3;non;n/a;B
00006;Fay Roche;fay@ex.org;07/07/1962;Tours;"75 300,10 €";4;oui;vu;A
""".encode("cp1252")
LINES = """order no;customer id;order date;delivered;quantity;unit price;category
S1;00001;2024-05-02;2024-05-04;2;10,50;sable
S1;00001;2024-05-02;2024-05-04;1;99,99;tuiles
S2;00002;2024-06-20;2024-06-21;3;5,25;sable
S3;00003;2023-01-15;2023-01-20;1;1250,00;tuiles
S4;00003;2023-03-15;2023-03-20;4;12,50;sable
S5;00006;2024-02-01;2024-02-03;10;7,75;sable
S6;00001;2024-06-25;2024-06-30;-1;10,50;sable
"""


def made(desk: Desk, *args: object, folder: str = "here") -> tuple[str, dict[str, Any]]:
    """The rule file that is made, as text and as data; it fits its data without a warning, and runs."""
    desk.segkit("init", desk / folder, *args)
    rules = desk / folder / "segments.toml"
    found = json.loads(desk.segkit("check", rules, "--data", "--json", code=None).stdout)
    assert [d for d in found["diagnostics"] if d["severity"] != "note"] == []
    desk.segkit("apply", rules, "--fail-on", "warning")
    text = rules.read_text(encoding="utf-8")
    return text, tomli.loads(text)


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """A small shop, written as a French spreadsheet does."""
    desk.put("clients.csv", SHOP)
    desk.put("lines.csv", LINES)
    return desk


# ---- Templates


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_runs_as_it_is(template: str, desk: Desk) -> None:
    text, rules = made(desk, "--template", template)
    assert all(
        table["path"].count("*") or (desk / "here" / table["path"]).exists() for table in rules["events"].values()
    )
    desk.segkit("test", desk / "here/segments.toml")
    written = json.loads(desk.segkit("apply", desk / "here/segments.toml", "--json").stdout)["segments"]
    assert all(segment["written"] for segment in written if segment["write"])
    assert "schema.json" not in text and f"{template}.toml" not in text


def test_the_shop_is_the_template_where_none_is_named(desk: Desk) -> None:
    result = desk.segkit("init", desk / "a")
    desk.segkit("init", desk / "b", "--template", "shop")
    files = sorted(path.name for path in (desk / "a").iterdir())
    assert files == ["customers.csv", "orders.csv", "segments.toml"]
    assert all((desk / "a" / name).read_bytes() == (desk / "b" / name).read_bytes() for name in files)
    assert f"next: segkit apply {desk / 'a/segments.toml'}\n" in result.stdout


def test_templates_are_the_rule_files_of_configs() -> None:
    """But for the day, and for what they are called."""
    for name in TEMPLATES:
        config = tomli.loads((ROOT / f"configs/{name}.toml").read_text(encoding="utf-8"))
        template = ROOT / f"src/segkit/operations/starting/templates/{name}/segments.toml"
        assert tomli.loads(template.read_text(encoding="utf-8")) == config | {
            "as_of": tomli.loads("d = 2024-06-30")["d"]
        }


# ---- Files that are there


def test_adventureworks(desk: Desk, examples: Path) -> None:
    folder = examples / "adventureworks"
    args = ("--customers", folder / "AdventureWorks_Customers.csv")
    text, rules = made(desk, *args, "--events", folder / "AdventureWorks_Sales_*.csv")
    assert rules["customers"]["key"] == "CustomerKey"
    sales = rules["events"]["adventure_works_sales"]
    assert (sales["time"], sales["id"], "amount" in sales) == ("OrderDate", "OrderNumber", False)
    assert rules["as_of"].isoformat() == "2017-06-30"
    assert '# time = "StockDate"' in text
    assert rules["trait"] == {"age": {"years_since": "BirthDate"}}
    assert rules["segment"]["birthday"]["demographic"] == {"BirthDate": {"anniversary_within": "7 days"}}
    assert rules["segment"]["high-annual-income"]["demographic"] == {"AnnualIncome": {"min": 70000}}
    with (folder / "AdventureWorks_Customers.csv").open(encoding="cp1252") as file:
        rows = list(csv.DictReader(file))
    value, number = Counter(row["EducationLevel"] for row in rows).most_common(1)[0]
    assert f'demographic.EducationLevel = "{value}"' in text
    assert f"the most frequent value: {number:,} of {len(rows):,} customers" in text
    incomes = sorted(int(re.sub(r"\D", "", row["AnnualIncome"])) for row in rows)
    assert incomes[int(0.75 * len(incomes))] == 70000
    assert f"{sum(i >= 70000 for i in incomes):,} of {len(rows):,} have this or more" in text
    written = {*rules["output"]["columns"]}
    assert not written & {"FirstName", "LastName", "BirthDate", "EmailAddress"}
    assert {"age", "lifecycle", "Occupation"} <= written


def test_several_files_with_the_same_columns_are_one_table(desk: Desk, examples: Path) -> None:
    years = [examples / f"adventureworks/AdventureWorks_Sales_{year}.csv" for year in (2015, 2016, 2017)]
    _, rules = made(desk, *(arg for path in years for arg in ("--events", path)))
    assert list(rules["events"]) == ["adventure_works_sales"]
    assert [Path(path).name for path in rules["events"]["adventure_works_sales"]["path"]] == [p.name for p in years]
    assert rules["customers"] == {"from": "adventure_works_sales", "key": "CustomerKey"}


def test_leads_with_tables_of_several_kinds(desk: Desk, examples: Path) -> None:
    events = [arg for name in ("visits", "emails", "orders") for arg in ("--events", examples / f"leads/{name}.csv")]
    _, rules = made(desk, "--customers", examples / "leads/leads.csv", *events)
    assert set(rules["events"]) == {"visits", "emails", "orders"}
    assert rules["value"] == rules["rfm"] == {"events": "orders"}


def test_orders_of_the_rfm_package(desk: Desk, examples: Path) -> None:
    text, rules = made(desk, "--events", examples / "rfm/rfm_data_orders.csv")
    assert rules["customers"] == {"from": "rfm_data_orders", "key": "customer_id"}
    assert rules["output"]["columns"] == ["rfm_segment", "lifecycle", "revenue", "order_count"]
    assert "@" not in text


REAL: list[tuple[str, str | None, list[str]]] = [
    ("AdventureWorks", "adventureworks/AdventureWorks_Customers.csv", ["adventureworks/AdventureWorks_Sales_*.csv"]),
    ("Online Retail", None, ["retail/online_retail.csv.gz"]),
    ("telco", "customers/telco_churn.csv", []),
    ("marketing", "customers/marketing_campaign.tsv", []),
    ("leads", "leads/Leads.csv", []),
    ("CDNOW", None, ["clv/CDNOW_master.txt"]),
    ("rfm", None, ["rfm_r/rfm_data_orders.csv"]),
    ("rfm customers", "rfm_r/rfm_data_customer.csv", []),
]


@pytest.mark.parametrize(("customers", "events"), [case[1:] for case in REAL], ids=[case[0] for case in REAL])
def test_real_data(customers: str | None, events: list[str], desk: Desk, shared: Callable[[str], Path]) -> None:
    folder = shared("adventureworks").parent
    args = ["--customers", folder / customers] if customers else []
    made(desk, *args, *(arg for path in events for arg in ("--events", folder / path)))


def test_a_french_shop(shop: Desk) -> None:
    text, rules = made(shop, "--customers", shop / "clients.csv", "--events", shop / "lines.csv")
    assert rules["customers"] == {"path": "../clients.csv", "key": "customer_id"}
    lines = rules["events"]["lines"]
    assert lines["key"] == "customer id"
    assert lines["derive"] == {"line_total": '"quantity" * "unit price"'}
    assert (lines["amount"], lines["time"], lines["id"]) == ("line_total", "order date", "order no")
    assert '# time = "delivered"' in text
    assert rules["as_of"].isoformat() == "2024-06-25"
    assert rules["segment"]["ville-orleans"]["demographic"] == {"ville": "Orléans"}
    assert "consent" not in rules and '# require.optin_email = "oui"' in text
    assert '# null_values = ["Select"]' in text
    assert not {"name", "courriel", "né le", "segment"} & {*rules["output"]["columns"]}


# ---- Who may be written


CONSENT = [
    ("email_opt_in", ["true", "false"], "true"),
    ("Do Not Email", ["No", "Yes"], '"No"'),
    ("do_not_email", ["true", "false"], "false"),
    ("do_not_call", ["0", "1"], "0"),
    ("newsletter", ["1", "0"], "1"),
    ("unsubscribed", ["ja", "nein"], '"nein"'),
    ("OptOut", ["N", "Y"], '"N"'),
    ("unsubscribed_at", ["2024-01-03", ""], "{ missing = true }"),
    ("consent_date", ["2024-01-03", ""], "{ missing = false }"),
    ("not_unsubscribed", ["true", "false"], None),
    ("no_of_newsletters", ["3", "5"], None),
    ("newsletter", ["weekly", "daily"], None),
    ("newsletter_opt_out", ["yes", "no"], '"no"'),
    ("sms_consent", ["Y", "N"], '"Y"'),
    ("newsletter_on", ["2024-01-03", ""], None),
    ("subscribed", ["yes", "no"], '"yes"'),
    ("do_not", ["yes", "no"], None),
    ("!consent", ["yes", "no"], None),
    ("consent", ["1", "2"], None),
    ("AcceptedCmp3", ["0", "1"], None),
    ("country", ["NO", "FR"], None),
]


@pytest.mark.parametrize(("column", "values", "wanted"), CONSENT)
def test_consent_is_a_comment_that_is_right(column: str, values: list[str], wanted: str | None, desk: Desk) -> None:
    rows = [f"{number},{values[number % 2]},{number % 3}" for number in range(1, 41)]
    desk.put("c.csv", "\n".join([f"id,{column},visits", *rows]) + "\n")
    text, rules = made(desk, "--customers", desk / "c.csv")
    assert "consent" not in rules
    commented = re.findall(r"^# (require\.\S.*?)(?:  +# .*)?$", text, flags=re.MULTILINE)
    key = column if re.fullmatch(r"[\w-]+", column) else f'"{column}"'
    assert commented == ([f"require.{key} = {wanted}"] if wanted else [])
    if wanted is None:
        return
    assert f"[segment.{column}" not in text, "consent is no criterion"
    active = text.replace("# [consent]", "[consent]").replace("# require.", "require.")
    desk.put("here/segments.toml", active + "[segment.all-of-them]\neveryone = true\n")
    desk.segkit("apply", desk / "here/segments.toml")
    kept = {row.split(",")[0] for row in (desk / "here/segments/all-of-them.csv").read_text().splitlines()[1:]}
    yes = (
        {"true", "1", "ja", "Y", "Yes", "yes", "2024-01-03"}
        if consents(column)
        else {"false", "0", "nein", "N", "No", "no", ""}
    )
    assert kept == {row.split(",")[0] for row in rows if row.split(",")[1] in yes}


INVERTED = [
    "no_consent",
    "no_optin",
    "no_opt_in",
    "no_permission",
    "consent_declined",
    "consent_denied",
    "permission_denied",
    "consent_expired",
    "newsletter_off",
    "newsletter_cancelled",
    "newsletter_abbestellt",
    "kein_newsletter",
    "without_consent",
    "non_consent",
    "consent_missing",
    "lacks_consent",
    "newsletter_pause",
    "sin_consentement",
    "newsletter_abgemeldet",
    "email_opt_in_missing",
    "email_optin_revoked",
    "not_opted_in",
    "dont_allow_calls",
    "optin_withdrawn",
    "consent_lapsed",
    "newsletterAbbestellt",
    "consent_opt_out",
    "subscribed_not",
]
SILENT = [
    "Werbesperre",
    "blacklisted",
    "deceased",
    "suppressed",
    "gdpr_erased",
    "contactable",
    "no_contactar",
    "is_test",
    "robinson",
    "sms_stop",
    "pas_de_mail",
    "ne_pas_solliciter",
    "privacy_declined",
    "hard_bounce",
    "spam_complaint",
    "rgpd_ok",
    "email_status",
    "unsub",
]


@pytest.mark.parametrize("values", [["yes", "no"], ["1", "0"], ["true", "false"], ["2024-01-03", "2024-02-03"]])
def test_what_a_name_says_in_other_words_is_left_to_people(values: list[str], desk: Desk) -> None:
    """All these at once: none has a value in `require`, a segment, or a place in the lists, and each is named."""
    names = [*INVERTED, *SILENT, "newsletter_ended_on", "consent_until", "died_on", "opted_out_at"]
    if "2024" in values[0]:
        names.remove("opted_out_at")  # a day of that says who has not done it
    rows = [f"K{n},{'red' if n % 3 else 'blue'}" + f",{values[n % 2]}" * len(names) for n in range(60)]
    desk.put("c.csv", "\n".join([f"id,colour,{','.join(names)}", *rows]) + "\n")
    result = desk.segkit("init", desk / "here", "--customers", desk / "c.csv")
    text = (desk / "here/segments.toml").read_text(encoding="utf-8")
    assert "require" not in text and tomli.loads(text)["output"]["columns"] == ["colour"]
    assert list(tomli.loads(text)["segment"]) == ["colour-red"]
    told = text.partition("Look yourself")[2].partition("[consent]")[0]
    assert [name for name in names if f"`{name}`" not in told] == []
    assert "customers.consent" in result.stdout and "look yourself" in result.stdout


def test_events_of_those_who_left_are_no_segment(desk: Desk) -> None:
    rows = "".join(f"K{n % 9},{_day(n)}\n" for n in range(60))
    desk.put("orders.csv", "customer_id,order_date,amount\n" + rows.replace("\n", ",5.5\n"))
    for name, segment in (("unsubscribes", False), ("visits", True)):
        desk.put(f"{name}.csv", f"customer_id,{name}_on\n" + rows)
        args = ("--events", desk / "orders.csv", "--events", desk / f"{name}.csv", "--force")
        text, rules = made(desk, *args)
        assert (f"{name}-lately" in rules["segment"]) is segment
        assert (f"say of who may be written: `{name}`." in text) is not segment


def test_what_values_say_of_consent_is_left_to_people(desk: Desk) -> None:
    rows = "".join(
        f"K{n},{['weekly', 'never'][n % 2]},{['fine', 'unsubscribed'][n % 2]},{'ab'[n % 2]}\n" for n in range(40)
    )
    desk.put("c.csv", "id,newsletter,state,plan\n" + rows)
    text, rules = made(desk, "--customers", desk / "c.csv")
    assert "say of who may be written: `newsletter` and `state`." in text
    assert rules["output"]["columns"] == ["plan"]


# ---- Nothing personal


NAMES = ["email", "phone", "first_name", "last name", "birth_date", "street", "iban", "Kontakt"]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_values_of_personal_columns_are_not_written(data: st.DataObject, new_desk: Callable[[], Desk]) -> None:
    desk = new_desk()
    personal = data.draw(st.lists(st.sampled_from(NAMES[:-1]), unique=True, min_size=1))
    number = data.draw(st.integers(8, 30))
    made_up = {
        "email": [f"qz{n % 3}@xy{n % 2}.org" for n in range(number)],
        "phone": [f"+4917{n % 4}5551234" for n in range(number)],
        "first_name": [f"Qzname{n % 3}" for n in range(number)],
        "last name": [f"Qzfamily{n % 2}" for n in range(number)],
        "birth_date": [f"19{60 + n % 5}-0{1 + n % 9}-17" for n in range(number)],
        "street": [f"Qzstreet {n % 3}" for n in range(number)],
        "iban": [f"DE00QZ{n % 3}" for n in range(number)],
    }
    header = ["id", *personal, "plan"]
    rows = [[f"K{n}", *(made_up[name][n] for name in personal), f"plan {n % 2}"] for n in range(number)]
    desk.put("c.csv", "\n".join(",".join(row) for row in [header, *rows]) + "\n")
    result = desk.segkit("init", desk / "here", "--customers", desk / "c.csv")
    text = (desk / "here/segments.toml").read_text(encoding="utf-8")
    shown = text + result.output
    assert [value for name in personal for value in made_up[name] if value in shown] == []
    assert not {*personal} & {*tomli.loads(text)["output"]["columns"]}


def test_a_file_of_personal_columns_alone(desk: Desk) -> None:
    """The lists have the key: without `columns` they would have all."""
    desk.put("c.csv", "id,email\n1,a@x.org\n2,b@x.org\n")
    made(desk, "--customers", desk / "c.csv")
    assert (desk / "here/segments/everybody.csv").read_text() == "id,segment\n1,everybody\n2,everybody\n"


# ---- Names, paths, bytes


STRANGE = ['a "quoted" word', "back\\slash", "dot.ted", "ünï", "${HOME}", "it's", "tab\tbed", "#hash", "a=b", "[x]"]


@pytest.mark.parametrize("name", STRANGE)
def test_names_of_columns_and_values_as_they_are(name: str, desk: Desk) -> None:
    with (desk / "c.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", name, f"n {name}"])
        rows.writerows([f"k{n}", f"v {name}" if n % 3 else "other", n * 1.5] for n in range(30))
    _, rules = made(desk, "--customers", desk / "c.csv")
    told = [segment["demographic"] for segment in rules["segment"].values()]
    assert {name: f"v {name}".replace("${", "$${")} in told
    assert {f"n {name}": {"min": 33}} in told
    with (desk / "here/segments" / f"{next(iter(rules['segment']))}.csv").open(encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == 21


@pytest.mark.parametrize(
    ("data", "folder", "path"),
    [
        ("a b/c d.csv", "r", "../a b/c d.csv"),
        ("c.csv", ".", "c.csv"),
        ("dé/ö's.csv", "dé", "ö's.csv"),
        ('q"uo.csv', "x/y", '../../q"uo.csv'),
        ("back\\slash.csv", "r", "../back\\slash.csv"),
        ("a${B}.csv", "r", "../a$${B}.csv"),
        ("a[1].csv", "r", "../a[1].csv"),
    ],
)
def test_paths_are_seen_from_the_rule_file(data: str, folder: str, path: str, desk: Desk) -> None:
    desk.put(data, "id,plan\n1,a\n2,a\n3,b\n")
    _, rules = made(desk, "--customers", desk / data, folder=folder)
    assert rules["customers"]["path"] == path


def test_a_folder_that_is_a_link(desk: Desk) -> None:
    desk.put("real/deep/x", "")
    desk.put("c.csv", "id,plan\n1,a\n2,a\n3,b\n")
    (desk / "link").symlink_to(desk / "real/deep")
    _, rules = made(desk, "--customers", desk / "c.csv", folder="link")
    assert rules["customers"]["path"] == "../../c.csv"


def test_a_path_is_relative_to_where_one_is(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.put("data/c.csv", "id,plan\n1,a\n2,a\n3,b\n")
    monkeypatch.chdir(desk / "data")
    assert made(desk, "--customers", "c.csv", folder="data/r")[1]["customers"]["path"] == "../c.csv"
    desk.segkit("init", "--customers", "c.csv")
    assert tomli.loads(Path("segments.toml").read_text())["customers"]["path"] == "c.csv"
    desk.segkit("apply")
    desk.segkit("check")


def test_a_second_run_writes_the_same_bytes(shop: Desk) -> None:
    args = ("--customers", shop / "clients.csv", "--events", shop / "lines.csv")
    first, _ = made(shop, *args)
    assert made(shop, *args, "--force")[0] == first


# ---- Columns that are there already, keys


def test_placeholders_are_no_example(desk: Desk) -> None:
    values = ["Select", "Select", "x", "NA", "y", "x", "Select"]
    desk.put("c.csv", "id,what\n" + "".join(f"{n},{values[n % 7]}\n" for n in range(70)))
    text, rules = made(desk, "--customers", desk / "c.csv")
    assert rules["segment"]["what-x"]["demographic"] == {"what": "x"} and len(rules["segment"]) == 1
    assert "the most frequent one that means something: 20 of 70 customers" in text
    assert '# null_values = ["Select", "NA"]' in text


def test_now_is_the_last_day_of_customers_up_to_today(desk: Desk) -> None:
    rows = "".join(f"{n},2023-0{1 + n % 9}-11,2{n % 2}99-01-01,19{60 + n % 9}-01-0{1 + n % 9}\n" for n in range(40))
    desk.put("c.csv", "id,joined,renews,birth_date\n" + rows)
    assert made(desk, "--customers", desk / "c.csv")[1]["as_of"].isoformat() == "2023-09-11"


def test_an_age_that_is_there_is_not_computed(desk: Desk) -> None:
    rows = "".join(f"{n},{20 + n},19{60 + n}-01-0{1 + n % 9}\n" for n in range(9))
    desk.put("c.csv", "id,age,birth_date\n" + rows)
    assert "trait" not in made(desk, "--customers", desk / "c.csv")[1]


def test_fields_of_several_values_are_no_single_value(desk: Desk) -> None:
    values = ["golf", "golf; chess", "chess", "chess; golf", "golf; chess"]
    desk.put("c.csv", "id,likes,plan\n" + "".join(f"{n},{values[n % 5]},{'ab'[n % 2]}\n" for n in range(30)))
    text, rules = made(desk, "--customers", desk / "c.csv")
    assert '# lists.likes = ";"' in text
    assert list(rules["segment"]) == ["plan-a"]
    assert made(desk, "--customers", desk / "c.csv", "--force")[0].count("[segment.") == 1
    active = text.replace("# lists.", "lists.") + '[segment.golf]\ndemographic.likes.has_any = "golf"\n'
    desk.apply(active.replace("../c.csv", "c.csv"))


def test_columns_that_segkit_computes_get_another_name(desk: Desk) -> None:
    customers = "id,frequency,revenue,lifecycle,lifecycle_in_file\n"
    desk.put("c.csv", customers + "".join(f"{n},{n % 7},{n * 10},{'ab'[n % 2]},{'xyz'[n % 3]}\n" for n in range(20)))
    desk.put("o.csv", "id,day,amount\n" + "".join(f"{n % 15},2024-0{1 + n % 5}-10,{n}.5\n" for n in range(60)))
    _, rules = made(desk, "--customers", desk / "c.csv", "--events", desk / "o.csv")
    assert rules["customers"]["rename"] == {
        "frequency_in_file": "frequency",
        "revenue_in_file": "revenue",
        "lifecycle_in_file-2": "lifecycle",
    }
    assert "revenue_in_file" in rules["output"]["columns"]


def test_keys_of_other_names_are_found_by_their_values(desk: Desk) -> None:
    desk.put("c.csv", "no,ref,city\n" + "".join(f"{n},R{n:04},{'ab'[n % 2]}\n" for n in range(40)))
    desk.put("o.csv", "day,buyer,line\n" + "".join(f"2024-01-{1 + n % 28:02},R{n % 40:04},{n}\n" for n in range(90)))
    result = desk.segkit("init", desk / "r", "--customers", desk / "c.csv", "--events", desk / "o.csv")
    rules = tomli.loads((desk / "r/segments.toml").read_text())
    assert (rules["customers"]["key"], rules["events"]["o"]["key"]) == ("ref", "buyer")
    assert "40 of 40 keys" in " ".join(result.stdout.split())


def test_the_name_of_a_key_may_have_two_lines(desk: Desk) -> None:
    desk.put("c.csv", '"the\nno",city\n' + "".join(f"R{n:04},{'ab'[n % 2]}\n" for n in range(40)))
    rows = "".join(f"2024-01-{1 + n % 28:02},R{n % 40:04}\n" for n in range(90))
    desk.put("o.csv", 'day,"who\nbuys"\n' + rows)
    _, rules = made(desk, "--customers", desk / "c.csv", "--events", desk / "o.csv")
    assert (rules["customers"]["key"], rules["events"]["o"]["key"]) == ("the\nno", "who\nbuys")


def test_columns_of_one_name_with_other_values_are_not_the_key(desk: Desk) -> None:
    """`id` is the number of the customer here, and that of the order there."""
    desk.put("c.csv", "id,city\n" + "".join(f"C{n},{'ab'[n % 2]}\n" for n in range(40)))
    desk.put("o.csv", "id,day,who\n" + "".join(f"{n},2024-01-{1 + n % 28:02},C{n % 40}\n" for n in range(90)))
    _, rules = made(desk, "--customers", desk / "c.csv", "--events", desk / "o.csv")
    assert (rules["customers"]["key"], rules["events"]["o"]["key"]) == ("id", "who")


def test_the_number_of_an_order_is_not_the_key_though_both_are_called_id(desk: Desk) -> None:
    desk.put("c.csv", "id,city\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(1, 81)))
    for number in (40, 200):
        rows = "".join(f"{n},2024-01-{1 + n % 28:02},{1 + n * 7 % 80}\n" for n in range(1, number))
        desk.put("o.csv", "id,day,customer_id\n" + rows)
        _, rules = made(desk, "--customers", desk / "c.csv", "--events", desk / "o.csv", "--force")
        assert (rules["customers"]["key"], rules["events"]["o"]["key"]) == ("id", "customer_id")


def test_a_number_of_its_own_in_each_row_is_no_key(desk: Desk) -> None:
    """The events count themselves in `id`; what says whose they are is written otherwise than in the customer file."""
    customers = "id,customer_no,city\n" + "".join(f"{n},K{n + 5000},{'ab'[n % 2]}\n" for n in range(1, 201))
    rows = "".join(f"{n},{5000 + n % 200},2024-01-{1 + n % 28:02},{n % 9}.5\n" for n in range(1, 501))
    said = _init(desk, customers, "id,customer,order_date,amount\n" + rows, code=3)
    assert "has the same keys" in said and "`customer` of the events is named like one" in said
    lines = "".join(f"{n},{5000 + n % 200},2024-01-{1 + n % 28:02},p{k}\n" for n in range(1, 501) for k in range(2))
    said = _init(desk, customers, "id,customer,order_date,product\n" + lines, code=3)
    assert "`customer` of the events is named like one" in said
    desk.put("o.csv", "id,who,day\n" + "".join(f"{n},K{n % 7},2024-01-0{1 + n % 9}\n" for n in range(30)))
    assert "cannot tell which column of" in desk.segkit("init", desk / "x", "--events", desk / "o.csv", code=3).stderr


RIVALS = [("seller", "buyer"), ("acheteur", "parrain"), ("parrain", "acheteur"), ("von", "an")]


@pytest.mark.parametrize("key", ["client", "id"])
@pytest.mark.parametrize(("one", "other"), RIVALS)
def test_of_two_columns_with_keys_none_is_taken_in_silence(key: str, one: str, other: str, desk: Desk) -> None:
    """One has all customers, the other customers of old, too."""
    customers = f"{key},city\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(1, 201))
    rows = [f"{n % 200 + 1},{n * 7 % 240 + 1},2024-01-{1 + n % 28:02},{n % 9}.5\n" for n in range(500)]
    said = _init(desk, customers, f"{one},{other},day,amount\n" + "".join(rows), code=3)
    assert f"`{one}` and `{other}` of" in said
    wanted = "client" if key == "client" else "customer_id"
    assert f"name that one `{wanted}` in the file" in said
    for columns, taken in (((wanted, other), (wanted, other)), ((one, wanted), (wanted, one))):
        desk.put("e.csv", f"{','.join(columns)},day,amount\n" + "".join(rows))
        result = desk.segkit("init", desk / "out", "--force", "--customers", desk / "c.csv", "--events", desk / "e.csv")
        events = tomli.loads((desk / "out/segments.toml").read_text())["events"]["e"]
        assert events.get("key", key) == taken[0]
        assert f"`{taken[1]}` has keys, too" in " ".join(result.stdout.split()) or taken[1] == other


def test_a_name_tells_less_than_values_do(desk: Desk) -> None:
    desk.put("c.csv", "customer_id,city\n" + "".join(f"{n},{'ab'[n % 2]}\n" for n in range(50)))
    rows = "".join(f"{n},2024-01-{1 + n % 28:02},{n % 50}\n" for n in range(40, 140))
    desk.put("o.csv", "customer_id,day,buyer\n" + rows)
    _, rules = made(desk, "--customers", desk / "c.csv", "--events", desk / "o.csv")
    assert rules["events"]["o"]["key"] == "buyer"


def test_few_customers_of_many(desk: Desk) -> None:
    desk.put("c.csv", "customer_id,city\nc1,a\nc2,b\nc3,b\n")
    desk.put("o.csv", "customer_id,day\n" + "".join(f"c{n % 90},2024-01-{1 + n % 28:02}\n" for n in range(400)))
    text, rules = made(desk, "--customers", desk / "c.csv", "--events", desk / "o.csv")
    assert rules["customers"]["key"] == "customer_id" and "3 of 90 keys looked at are those of customers" in text


def test_an_e_mail_is_the_key_only_where_nothing_else_is(desk: Desk) -> None:
    desk.put("c.csv", "email,id,plan\na@x.org,1,a\nb@x.org,2,a\nc@x.org,3,b\n")
    assert made(desk, "--customers", desk / "c.csv")[1]["customers"]["key"] == "id"
    desk.put("c.csv", "email,plan\na@x.org,a\nb@x.org,a\nc@x.org,b\n")
    assert made(desk, "--customers", desk / "c.csv", "--force")[1]["customers"]["key"] == "email"


def test_dates_that_nothing_settles_are_told(desk: Desk) -> None:
    desk.put(
        "c.csv",
        "id,since,plan\n" + "".join(f"{n},0{1 + n % 9}/0{1 + n * 7 % 9}/2023,{'ab'[n % 2]}\n" for n in range(40)),
    )
    result = desk.segkit("init", desk / "here", "--customers", desk / "c.csv")
    assert "note: no value of column `since` of `customers` settles" in result.stderr
    text = (desk / "here/segments.toml").read_text()
    assert '# date_format.since = "%d/%m/%Y"' in text and "since" not in str(tomli.loads(text))
    desk.apply(
        text.replace("# date_format", "date_format").replace("../", "")
        + "[segment.s]\ndemographic.since.before = 2024-01-01\n"
    )


def test_an_id_that_each_row_has_for_itself_is_left_out(desk: Desk) -> None:
    desk.put(
        "o.csv",
        "customer_id,order_id,date,total\n" + "".join(f"{n % 9},o{n},2024-01-0{1 + n % 9},{n}.5\n" for n in range(40)),
    )
    assert "id" not in made(desk, "--events", desk / "o.csv")[1]["events"]["o"]


def test_money_without_a_name_that_says_so_is_a_comment(desk: Desk) -> None:
    desk.put("o.csv", "customer_id,date,x\n" + "".join(f"{n % 9},2024-01-0{1 + n % 9},{n}.5\n" for n in range(40)))
    text, rules = made(desk, "--events", desk / "o.csv")
    assert "amount" not in rules["events"]["o"] and "value" not in rules
    assert '# amount = "x"' in text


# ---- Errors


@pytest.mark.parametrize(
    ("files", "args", "code", "message"),
    [
        ({}, ["--customers", "c.csv"], 3, "there is no file `c.csv`"),
        ({}, ["--events", "c*.csv"], 3, "no file matches `c*.csv`"),
        ({"c.csv": ""}, ["--customers", "c.csv"], 3, "`c.csv` is empty"),
        ({"c.csv": "id,plan\n"}, ["--customers", "c.csv"], 3, "`c.csv` has no rows"),
        (
            {"c.csv": "city,plan\nx,y\nx,y\n"},
            ["--customers", "c.csv"],
            3,
            "no column of `c.csv` has a value of its own in each row",
        ),
        (
            {"o.csv": "a,b\n1,2\n1,2\n"},
            ["--events", "o.csv"],
            3,
            "cannot tell which column of `o.csv` holds the customer's key",
        ),
        ({"o.csv": "id,b\n1,x\n1,y\n"}, ["--events", "o.csv"], 3, "no column of `o.csv` holds days"),
        (
            {"c.csv": "id,b\n1,x\n2,y\n", "o.csv": "id,day\nA,2024-01-01\nB,2024-01-02\n"},
            ["--customers", "c.csv", "--events", "o.csv"],
            3,
            "no column of `c.csv` and `o.csv` has the same keys",
        ),
        (
            {
                "c.csv": "id,b\nA,x\nB,y\n",
                "o.csv": "id,day\nA,2024-01-01\nB,2024-01-02\nA,2024-02-02\n",
                "r.csv": "product,on\nX1,2024-01-01\nX2,2024-01-02\n",
            },
            ["--customers", "c.csv", "--events", "o.csv", "--events", "r.csv"],
            3,
            "`r.csv`: no column holds keys of `c.csv`, as the other events have them",
        ),
        ({}, ["--customers", "-"], 2, "a rule file names files"),
        (
            {"c.csv": "id\n1\n"},
            ["--customers", "c.csv", "--template", "shop"],
            2,
            "`--template` brings data of its own",
        ),
        ({"c.csv": "id\n1\n"}, ["c.csv", "--customers", "c.csv"], 2, "`c.csv` is a file, and no folder"),
        (
            {"c.csv": "id\n1\n"},
            ["--events", "c.csv", "d.csv", "e.csv"],
            2,
            "one DIR, not `here`, `d.csv`, `e.csv`: repeat",
        ),
        (
            {"o.csv": "id,day,amount\n1,2024-01-02,$5.50\n1,2024-01-02,€3.50\n"},
            ["--events", "o.csv"],
            3,
            '`where.currency = "EUR"`\n',
        ),
        ({}, ["--template", "zoo"], 2, "invalid value for `--template`"),
    ],
)
def test_errors_come_before_anything_is_written(
    files: dict[str, str], args: list[str], code: int, message: str, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in files.items():
        desk.put(name, content)
    monkeypatch.chdir(desk.folder)
    where = [] if "c.csv" in args[:1] else ["here"]
    result = desk.segkit("init", *where, *args, code=code)
    assert result.stderr.startswith("error: ") and message in result.stderr, result.stderr
    assert result.stderr.count("error: ") == 1
    assert sorted(path.name for path in desk.folder.iterdir()) == sorted(files)


def test_a_file_that_is_there_is_not_written_over(desk: Desk) -> None:
    desk.put("here/segments.toml", "mine")
    for args in ((), ("--customers", desk.put("c.csv", "id,plan\n1,a\n2,a\n3,b\n"))):
        result = desk.segkit("init", desk / "here", *args, code=4)
        assert f"error: `{desk / 'here/segments.toml'}` is there already\nhint: `--force`" in result.stderr
        assert [path.name for path in (desk / "here").iterdir()] == ["segments.toml"]
        assert (desk / "here/segments.toml").read_text() == "mine"
    made(desk, "--force")


def test_a_folder_that_cannot_be_made(desk: Desk) -> None:
    desk.put("c.csv", "id,plan\n1,a\n2,a\n3,b\n")
    for args in ((), ("--customers", desk / "c.csv")):
        result = desk.segkit("init", "/dev/null/here", *args, code=4)
        assert result.stderr.startswith("error: cannot write") and "-o" not in result.stderr


def test_data_of_others_are_not_written_over(desk: Desk) -> None:
    desk.put("here/orders.csv", "mine")
    result = desk.segkit("init", desk / "here", code=4)
    assert "`--customers` and `--events` make rules for files that are there" in result.stderr
    assert [path.name for path in (desk / "here").iterdir()] == ["orders.csv"]


@pytest.mark.parametrize("command", ["apply", "check", "test", "columns", "explain"])
def test_commands_take_the_rule_file_of_the_folder(command: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    result = desk.segkit(command, code=2)
    assert result.stderr == (
        "error: missing argument `RULES`: there is no `segments.toml` in this folder\n"
        "hint: name the rule file, or make one: `segkit init` writes it\n"
    )
    desk.segkit("init")
    desk.segkit(command)


# ---- Whatever the files are


KINDS: dict[str, Callable[[random.Random], str]] = {
    "count": lambda r: str(r.randrange(50)),
    "prix en euros": lambda r: f"{r.randrange(9999)},{r.randrange(100):02} €",
    "income": lambda r: f"${r.randrange(90)},000 ",
    "ville": lambda r: r.choice(["Orléans", "b b", "d'e", "Select"]),
    "opt_in": lambda r: r.choice(["Yes", "No"]),
    "us day": lambda r: f"{r.randrange(1, 13)}/{r.randrange(1, 29)}/2023",
    "signed_up": lambda r: str(dt.date(2022, 1, 1) + dt.timedelta(r.randrange(700))),
    "unclear": lambda r: f"{r.randrange(1, 13):02}-{r.randrange(1, 13):02}-2021",
    "active": lambda r: r.choice(["true", "false"]),
    "nothing": lambda r: "",
    "mixed": lambda r: r.choice(["1", "x", "2023-01-01", ""]),
    "rank": lambda r: r.choice(["NA", "3", "4.5"]),
    "same": lambda r: "k",
    "email": lambda r: f"u{r.randrange(5)}@x.org",
    "likes": lambda r: r.choice(["a;b", "a", "b", "b;a"]),
    "flag": lambda r: r.choice("01"),
    "refund": lambda r: f"({r.randrange(50)}.{r.randrange(10, 99)})",
    "share": lambda r: f"{r.randrange(50)} %",
    "lines": lambda r: r.choice(["a\nb", "c\td", 'q"q']),
    "revenue": lambda r: f"{r.random() * 100:.2f}",
    "frequency": lambda r: str(r.randrange(9)),
    "segment": lambda r: r.choice("AB"),
    "lifecycle": lambda r: r.choice(["new", "old"]),
    "age": lambda r: str(18 + r.randrange(60)),
    "quantity": lambda r: str(1 + r.randrange(5)),
    "unit price": lambda r: f"{r.randrange(90)}.{r.randrange(100):02}",
}


def table(r: random.Random, columns: dict[str, list[str]], rows: int) -> str:
    """A file with these columns and some others, of which fields are left out."""
    for name in r.sample(list(KINDS), r.randrange(7)):
        empty = r.choice([0, 0, 0.05, 0.5])
        columns[name] = ["" if r.random() < empty else KINDS[name](r) for _ in range(rows)]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=r.choice(",;\t"))
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return out.getvalue()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_it_runs_without_a_warning_whatever_the_files_are(seed: int, new_desk: Callable[[], Desk]) -> None:
    desk, r = new_desk(), random.Random(seed)
    encoding, rows, args = r.choice(["utf-8", "cp1252", "utf-8-sig"]), r.choice([1, 2, 5, 40]), []
    keys = [f"K{n:03}" for n in range(rows)]
    if r.random() < 0.7:
        desk.put("c.csv", table(r, {"customer_id": keys}, rows).encode(encoding))
        args += ["--customers", desk / "c.csv"]
    if r.random() < 0.6 or not args:
        events = r.choice([1, 10, 100])
        days = [str(dt.date(2023, 1, 1) + dt.timedelta(r.randrange(500))) for _ in range(events)]
        told = {"customer_id": [r.choice(keys) for _ in range(events)], "date": days}
        desk.put("o.csv", table(r, told, events).encode(encoding))
        args += ["--events", desk / "o.csv"]
    text, _ = made(desk, *args)
    assert made(desk, *args, "--force")[0] == text


# ---- What is told


def test_json_has_the_guesses(shop: Desk) -> None:
    args = ("--customers", shop / "clients.csv", "--events", shop / "lines.csv", "--json")
    told = json.loads(shop.segkit("init", shop / "here", *args).stdout)
    assert next(iter(told)) == "schema_version"
    assert {(g["table"], g["role"]): g["value"] for g in told["guesses"]} == {
        ("customers", "key"): "customer_id",
        ("lines", "time"): "order date",
        ("lines", "id"): "order no",
        ("lines", "amount"): '"quantity" * "unit price"',
        ("", "as_of"): "2024-06-25",
    }
    assert set(told["segments"]) == {*tomli.loads((shop / "here/segments.toml").read_text())["segment"]}
    assert told["tables"] == [{"name": "customers", "rows": 6}, {"name": "lines", "rows": 7}]


def test_the_screen_has_80_columns(shop: Desk) -> None:
    result = shop.segkit("init", shop / "here", "--customers", shop / "clients.csv", "--events", shop / "lines.csv")
    assert all(len(line) <= 80 for line in result.stdout.splitlines() if str(shop.folder) not in line)
    assert shop.segkit("init", shop / "here", "--force", "-q").output == ""


def _init(desk: Desk, customers: str, events: str | None = None, code: int = 0) -> str:
    desk.put("c.csv", customers)
    args: list[object] = ["init", desk / "out", "--customers", desk / "c.csv"]
    if events is not None:
        desk.put("e.csv", events)
        args += ["--events", desk / "e.csv"]
    done = desk.segkit(*args, code=code)
    return (desk / "out/segments.toml").read_text(encoding="utf-8") if code == 0 else done.stderr


def test_amounts_are_no_keys_though_they_are_among_them(desk: Desk) -> None:
    customers = "id,x\n" + "".join(f"{n},a\n" for n in range(1, 101))
    events = "customer,day,amount\n" + "".join(f"K{n},2024-01-0{n % 9 + 1},{n}\n" for n in range(1, 100))
    said = _init(desk, customers, events, code=3)
    assert "no column of" in said and "`customer` of the events is named like one" in said


def test_products_are_no_customers(desk: Desk) -> None:
    customers = "client,x\n" + "".join(f"{n},a\n" for n in range(1, 300))
    lines = (f"{n},{n % 50 + 1},2024-01-0{n % 9 + 1},{n % 7}.5\n" for n in range(1, 400))
    said = _init(desk, customers, "buyer,product_id,date,price\n" + "".join(lines), code=3)
    assert "no column of" in said


def test_an_amount_of_the_whole_order_counts_once(desk: Desk) -> None:
    customers = "customer_id,x\n" + "".join(f"K{n},a\n" for n in range(1, 31))
    lines = (f"O{n},K{n},2024-01-0{n % 9 + 1},{n}.50,p{k}\n" for n in range(1, 31) for k in range(2))
    written = _init(desk, customers, "order_id,customer_id,order_date,order_total,product\n" + "".join(lines))
    assert 'amount_per = "event"' in written and "all lines of each of 30 events" in written


@pytest.mark.parametrize(
    ("column", "values"),
    [("email_status", ["activated", "unsubscribed by mail"]), ("blacklisted", ["yes", "maybe"]), ("Werbesperre", ["j", "x"]),
     ("comment", ["Call Mrs Martin", "liked it"]), ("notes", ["call 06 12 34 56 78", "none yet"]), ("doctor", ["Dr. Who", "Dr. No"]),
     ("remarks", ["she is ill again since last week", "fine"])],
)  # fmt: skip
def test_what_is_no_choice_makes_no_segment(desk: Desk, column: str, values: list[str]) -> None:
    rows = "".join(f"K{n},{values[n % 2]},{'red' if n % 3 else 'blue'}\n" for n in range(40))
    written = _init(desk, f"customer_id,{column},colour\n" + rows)
    assert "colour" in written and not any(value in written for value in values)


@pytest.mark.parametrize("column", ["geb. am", "cumpleaños", "data_nascita", "bday", "fecha_nac", "X"])
def test_days_over_many_years_are_births(desk: Desk, column: str) -> None:
    rows = "".join(f"K{n},{1956 + n}-02-0{n % 9 + 1},{'red' if n % 3 else 'blue'}\n" for n in range(50))
    written = _init(desk, f"customer_id,{column},colour\n" + rows)
    assert "2005" not in written and "90 days" not in written
    assert column not in next(line for line in written.splitlines() if line.startswith("columns = "))


def test_several_currencies_are_told(desk: Desk) -> None:
    lines = (f"O{n},K{n % 30},2024-01-0{n % 9 + 1},{n}.50,{'EUR' if n % 3 else 'USD'}\n" for n in range(60))
    customers = "customer_id,x\n" + "".join(f"K{n},a\n" for n in range(30))
    written = _init(desk, customers, "order_id,customer_id,order_date,order_total,currency\n" + "".join(lines))
    assert '# where.currency = "EUR"' in written


def test_made_up_customers_take_no_ones_place(desk: Desk) -> None:
    desk.put("here/customers.csv", "id\nmine\n")
    done = desk.segkit("init", desk / "here", "--template", "shop", "--force", code=4)
    assert "is not written over" in done.stderr and desk.read("here/customers.csv") == [{"id": "mine"}]


@pytest.mark.parametrize("values", [["one", "other"], ["yes", "no"], ["1", "0"]])
@pytest.mark.parametrize(
    "column",
    [
        "religion",
        "health_status",
        "party",
        "unsub_flag",
        "blood_type",
        "pregnant",
        "marital",
        "diagnosis_icd",
        "Ethnie",
    ],
)
def test_what_no_list_is_made_of(desk: Desk, column: str, values: list[str]) -> None:
    rows = "".join(f"K{n},{values[n % 2]},{'red' if n % 3 else 'blue'}\n" for n in range(40))
    written = _init(desk, f"customer_id,{column},colour\n" + rows)
    assert f"demographic.{column}" not in written
    assert column not in next(line for line in written.splitlines() if line.startswith("columns = "))
    assert f"`{column}`" in written


PERSONS = {
    "Ansprechpartner": ["Anna Gross", "Bob Klein"], "Kontoinhaber": ["Anna Gross", "Bob Klein"], "login": ["agross", "bklein"],
    "company_owner": ["A. Gross", "B. Klein"], "initials": ["AG", "BK"], "Lieblingsarzt": ["Dr. Who", "Dr. No"],
    "Geburtsjahr": ["1957", "1982"], "skype": ["live:anna", "live:bob"],
}  # fmt: skip


@pytest.mark.parametrize("column", PERSONS)
def test_persons_are_not_written_down(desk: Desk, column: str) -> None:
    rows = "".join(f"K{n},{PERSONS[column][n % 2]},{'red' if n % 3 else 'blue'}\n" for n in range(40))
    written = _init(desk, f"customer_id,{column},colour\n" + rows)
    assert column not in written and not any(value in written for value in PERSONS[column])


def test_numbers_that_name_somebody_are_no_amounts(desk: Desk) -> None:
    """Whole, of one length, not round, and nearly all different."""
    rows = "".join(f"K{n},{90161995873 + n * n % 7919},{100 * n + 51},{5000000 + 1000 * n}\n" for n in range(80))
    written = _init(desk, "customer_id,Vorgang,spent,income\n" + rows)
    assert "9016" not in written and "demographic.spent.min = " in written and "demographic.income.min = " in written


@pytest.mark.parametrize(("year", "born"), [(1956, True), (2031, False)])
def test_a_birthday_that_comes_is_no_birth(desk: Desk, year: int, born: bool) -> None:
    rows = "".join(f"K{n},{year + n // 30}-02-0{n % 9 + 1},2024-0{n % 9 + 1}-03\n" for n in range(60))
    written = _init(desk, "customer_id,birthday,joined\n" + rows)
    assert ('years_since = "birthday"' in written) is born


# ---- What is not guessed in silence


def _orders(total: Callable[[int, int], object], orders: int, lines: int = 3, id_: str = "order_id") -> str:
    """Orders of 1 to `lines` lines; `total` is of an order and a line."""
    return f"{id_},customer_id,order_date,order_total,product\n" + "".join(
        f"S{n + 1000},K{n * 7 % 40},2024-0{1 + n % 9}-{1 + n % 28:02},{total(n, k)},p{k}\n"
        for n in range(orders)
        for k in range(1 + n % lines)
    )


WHOLE: dict[str, tuple[str, str | None]] = {
    "all": (_orders(lambda n, k: 20 + n, 60), "active"),
    "all but one": (_orders(lambda n, k: 20 + n + (n == 5 and k == 1), 400), "asked"),
    "too few": (_orders(lambda n, k: 20 + n, 12, 2).replace("p1", "p1", 1), "active"),
    "four": (_orders(lambda n, k: 20 + n, 8, 2), "asked"),
    "one": (_orders(lambda n, k: 20 + n, 2, 2), "asked"),
    "one price": (_orders(lambda n, k: 9, 60), "asked"),
    "lines": (_orders(lambda n, k: 20 + n * 3 % 7 + k * 5 % 11, 60), None),
    "by value": (_orders(lambda n, k: 20 + n, 60, id_="sale_id"), "active"),
    "by value, any name": (_orders(lambda n, k: 20 + n, 60, id_="Vorgang"), "active"),
}


@pytest.mark.parametrize("case", WHOLE)
def test_the_money_of_a_whole_order_is_told(case: str, desk: Desk) -> None:
    events, wanted = WHOLE[case]
    desk.put("o.csv", events)
    result = desk.segkit("init", desk / "here", "--events", desk / "o.csv")
    text, rules = made(desk, "--events", desk / "o.csv", "--force")
    of_orders = rules["events"]["o"]
    assert of_orders["id"] == events.partition(",")[0]
    assert (of_orders.get("amount_per") == "event") is (wanted == "active")
    assert ('# amount_per = "event"' in text) is (wanted == "asked")
    assert ("o.amount_per" in result.stdout) is (wanted is not None)
    assert ("not guessed" in result.stdout) is (wanted == "asked")


def test_money_that_comes_again_on_a_day_is_told_without_a_number(desk: Desk) -> None:
    whole = _orders(lambda n, k: 20 + n, 60)
    for events, told in ((whole, True), (WHOLE["lines"][0], False)):
        rows = (line.split(",", 1)[1] for line in events.splitlines())
        desk.put("o.csv", "\n".join(rows) + "\n")
        shown = " ".join(desk.segkit("init", desk / "here", "--force", "--events", desk / "o.csv").stdout.split())
        assert "rows beyond the first of a customer on a day" in shown
        assert ("named like money; by customer and day: all lines of each of" in shown) is told


def test_of_two_numbers_of_orders_none_is_taken(desk: Desk) -> None:
    rows = _orders(lambda n, k: 20 + n, 60, id_="Vorgang").splitlines()
    desk.put(
        "o.csv", "\n".join(f"{'Beleg' if not n else line.split(',')[0] + 'b'},{line}" for n, line in enumerate(rows))
    )
    text, rules = made(desk, "--events", desk / "o.csv")
    assert "id" not in rules["events"]["o"] and '# id = "Beleg"' in text and '# id = "Vorgang"' in text


def test_no_other_column_is_the_number_of_an_order(desk: Desk) -> None:
    """Numbers of customers, of lines, of products and of what goes on for days group no order."""
    rows = "".join(
        f"K{n % 20},C{n % 20},L{n},p{n % 9},W{n // 3},2024-0{1 + n % 9}-{1 + n % 28:02},{n}.5\n" for n in range(120)
    )
    desk.put("o.csv", "customer_id,card,position,product,wave,day,amount\n" + rows)
    assert "id" not in made(desk, "--events", desk / "o.csv")[1]["events"]["o"]


TIMES: dict[str, tuple[list[str], list[Callable[[int, int], object]], str, str]] = {
    "sign-up": (["signup_date", "bought_on"], [lambda n, c: f"2020-01-{1 + c:02}", lambda n, c: _day(n)], "bought_on",
                "`signup_date`: one day for each customer"),
    "any name": (["angelegt", "kauf"], [lambda n, c: f"2020-01-{1 + c:02}", lambda n, c: _day(n)], "kauf",
                 "`angelegt`: one day for each customer"),
    "a child": (["child_birthday", "kauf"], [lambda n, c: f"201{n % 9}-01-02", lambda n, c: _day(n)], "kauf",
                "`child_birthday`: births"),
    "births": (["date_of_birth", "kauf"], [lambda n, c: f"19{60 + c}-01-02", lambda n, c: _day(n)], "kauf",
               "`date_of_birth`: births"),
    "lives": (["x", "kauf"], [lambda n, c: f"19{60 + n % 39}-01-02", lambda n, c: _day(n)], "kauf", "`x`: more than"),
    "a name that lies": (["date", "kauf"], [lambda n, c: f"2020-01-{1 + c:02}", lambda n, c: _day(n)], "kauf", "`date`: one"),
    "serials": (["order_date", "shipped"], [lambda n, c: 45123 + n, lambda n, c: _day(n)], "shipped",
                "`order_date`: not read as days"),
    "two": (["ordered", "shipped"], [lambda n, c: _day(n), lambda n, c: _day(n + 1)], "ordered", "the first of 2 columns"),
}  # fmt: skip


def _day(n: int) -> str:
    return str(dt.date(2023, 1, 1) + dt.timedelta(n * 5 % 330))


@pytest.mark.parametrize("case", TIMES)
def test_the_day_of_the_event_is_no_other_day(case: str, desk: Desk) -> None:
    names, values, wanted, told = TIMES[case]
    rows = (f"K{n % 20},{','.join(str(value(n, n % 20)) for value in values)},{n}.5\n" for n in range(120))
    desk.put("o.csv", f"customer_id,{','.join(names)},amount\n" + "".join(rows))
    result = desk.segkit("init", desk / "here", "--events", desk / "o.csv")
    assert tomli.loads((desk / "here/segments.toml").read_text())["events"]["o"]["time"] == wanted
    assert told in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("date_of_birth", "1960-01-02", "holds days; `date_of_birth`: births"),
        ("order_date", "45123", "hint: `order_date`: not read as days such as 2024-03-31"),
    ],
)
def test_events_without_a_day(column: str, value: str, message: str, desk: Desk) -> None:
    desk.put("o.csv", f"customer_id,{column},amount\n" + f"K1,{value},5.5\n" * 9)
    assert message in desk.segkit("init", desk / "here", "--events", desk / "o.csv", code=3).stderr


HEADERS = [
    ("1,Anna1,Paris,1980-05-18\n", False),
    ("1,Anna,Paris\n", False),
    ("K001,Anna,F\n", False),
    ("no,54.50,2023-05-18\n", False),
    ("id,2023,2024\n", True),
    ("id,2023-01,2023-02\n", True),
    ("id,4,5,6\n", True),
    ("id,q1,address_2\n", True),
    ("id,vip,plan\n", True),
]


@pytest.mark.parametrize(("header", "names"), HEADERS)
def test_the_first_line_has_names(header: str, names: bool, desk: Desk) -> None:
    fields = header.strip().split(",")
    made_up: dict[str, Callable[[int], object]] = {
        "1": lambda n: n + 2, "Anna1": lambda n: f"Anna{n + 2}", "Paris": lambda n: ["Paris", "Oslo"][n % 2],
        "1980-05-18": lambda n: f"19{60 + n}-01-02", "Anna": lambda n: ["Anna", "Bob"][n % 2], "K001": lambda n: f"K{n + 2:03}",
        "F": lambda n: "FM"[n % 2], "54.50": lambda n: f"{n}.25", "2023-05-18": _day, "vip": lambda n: ["vip", ""][n % 2],
    }  # fmt: skip
    rows = [",".join(str(made_up[name](n) if name in made_up else n) for name in fields) for n in range(30)]
    desk.put("c.csv", header + "\n".join(rows) + "\n")
    result = desk.segkit("init", desk / "here", "--customers", desk / "c.csv", code=0 if names else 3)
    assert names or "has values, not names of columns: see column" in result.stderr
    assert names or not any(field in result.stderr for field in ("Anna", "Paris", "1980", "K001"))


@pytest.mark.parametrize("column", ["order_currency", "Cur", "iso_currency", "ccy", "x", "Währung"])
@pytest.mark.parametrize("codes", [("USD", "JPY"), ("eur", "PHP"), ("€", "USD")])
def test_currencies_of_any_name_are_told(column: str, codes: tuple[str, str], desk: Desk) -> None:
    rows = "".join(f"K{n % 30},{_day(n)},{n}.5,{codes[n % 3 == 0]},{['USA', 'FRA'][n % 2]}\n" for n in range(60))
    desk.put("o.csv", f"customer_id,order_date,amount,{column},country\n" + rows)
    result = desk.segkit("init", desk / "here", "--events", desk / "o.csv")
    text = (desk / "here/segments.toml").read_text()
    assert (
        re.search(rf'^# where\."?{column}"? = "{codes[0]}"', text, flags=re.MULTILINE) and "where.country" not in text
    )
    assert "amounts of several currencies are added up" in " ".join(result.stdout.split())
    desk.put("here/segments.toml", text.replace("# where.", "where."))
    desk.segkit("apply", desk / "here/segments.toml", "--dry-run")


STATES = [
    (
        "status",
        ["paid", "cancelled", "failed", "returned"],
        'where.status.not_in = ["cancelled", "failed", "returned"]',
    ),
    ("Zustand", ["bezahlt", "storniert", "erstattet"], 'where.Zustand.not_in = ["erstattet", "storniert"]'),
    ("refunded", ["yes", "no"], 'where.refunded.not_in = ["yes"]'),
    ("cancelled", ["true", "false"], "where.cancelled.is = false"),
    ("refunded", ["yes", ""], 'where.refunded = { not_in = ["yes"], or_missing = true }'),
    ("status", ["paid", "", "cancelled"], 'where.status = { not_in = ["cancelled"], or_missing = true }'),
    ("cancelled", ["true", "false", ""], "where.cancelled = { is = false, or_missing = true }"),
    ("is_return", ["0", "1"], "where.is_return.not_in = [1]"),
    ("cancelled_at", ["", "2024-02-02"], "where.cancelled_at.missing = true"),
    ("status", ["paid", "shipped"], None),
    ("status", ["returned", "returned"], None),
    ("colour", ["red", "blue"], None),
]


@pytest.mark.parametrize(("column", "values", "wanted"), STATES)
def test_money_that_was_not_paid_is_told(column: str, values: list[str], wanted: str | None, desk: Desk) -> None:
    rows = "".join(f"K{n % 30},{_day(n)},{n}.5,{values[n % len(values)]}\n" for n in range(120))
    desk.put("o.csv", f"customer_id,order_date,amount,{column}\n" + rows)
    result = desk.segkit("init", desk / "here", "--events", desk / "o.csv")
    text = (desk / "here/segments.toml").read_text()
    assert re.findall(r"^# (where\..*?)(?:  +# .*)?$", text, flags=re.MULTILINE) == ([wanted] if wanted else [])
    assert ("o.where" in result.stdout) is bool(wanted)
    desk.put("here/segments.toml", text.replace("# where.", "where."))
    desk.segkit("apply", desk / "here/segments.toml", "--dry-run")


def test_files_of_returns_beside_those_of_orders(desk: Desk) -> None:
    for name in ("orders.csv", "returns.csv"):
        desk.put(name, "customer_id,order_date,amount\n" + "".join(f"K{n % 9},{_day(n)},{n}.5\n" for n in range(40)))
    args = ("--events", desk / "orders.csv", "--events", desk / "returns.csv")
    result = desk.segkit("init", desk / "here", *args)
    assert "amounts of `returns.csv` are added to the others" in " ".join(result.stdout.split())
    assert "amounts of `returns.csv` are added to the others" in (desk / "here/segments.toml").read_text()
