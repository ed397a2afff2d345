"""Ordinary files, on which nothing is said: real data, and exports as CRMs and shops write them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.desk import ROOT, Desk

SHIPPED = sorted([*(ROOT / "examples").rglob("*.csv"), *(ROOT / "docs/shop").glob("*.csv")])
REAL = [
    "ab_test/hillstrom.csv", "adventureworks/AdventureWorks_Customers.csv",
    "adventureworks/AdventureWorks_Product_Categories.csv", "adventureworks/AdventureWorks_Product_Subcategories.csv",
    "adventureworks/AdventureWorks_Products.csv", "adventureworks/AdventureWorks_Returns.csv",
    "adventureworks/AdventureWorks_Sales_2015.csv", "adventureworks/AdventureWorks_Sales_2016.csv",
    "adventureworks/AdventureWorks_Sales_2017.csv", "adventureworks/AdventureWorks_Territories.csv",
    "clv/cdnow_customers_summary.csv", "customers/marketing_campaign.tsv", "customers/telco_churn.csv",
    "geo/fr_communes_2026.csv", "leads/Leads.csv", "northwind/customers.csv", "northwind/order-details.csv",
    "northwind/products.csv", "retail/online_retail_2010-12-01.csv", "rfm_r/rfm_data_customer.csv",
    "rfm_r/rfm_data_orders.csv",
]  # fmt: skip
EXPORTS = {
    "shop orders": "Name,Email,Financial Status,Paid at,Subtotal,Shipping,Total,Lineitem quantity\n"
    "#1001,a@x.org,paid,2024-05-03 10:12:00 +0200,45.00,5.00,50.00,2\n#1002,b@x.org,pending,,20.00,0.00,20.00,1\n",
    "shop customers": "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Total Spent,Total Orders,Phone,Note\n"
    "'7001,Ann,Lee,ann@x.org,yes,120.50,3,'+33612345678,\n'7002,Bob,Roe,bob@x.org,no,0.00,0,,VIP\n",
    "newsletter": '"Email Address","First Name",MEMBER_RATING,OPTIN_TIME,TAGS\n'
    'a@x.org,Ann,2,"2024-01-05 09:00:00","""news"",""vip"""\nb@x.org,Bob,5,"2024-02-06 10:00:00",\n',
    "crm contacts": "Record ID,First Name,Lifecycle Stage,Create Date,Annual Revenue,Number of Employees\n"
    "101,Ann,lead,2024-01-05 09:12,1250000,25\n102,Bob,customer,2023-11-20 18:01,890000.5,7\n",
    "crm accounts": '"Id","Name","BillingCountry","AnnualRevenue","CreatedDate","IsDeleted"\n'
    '"0015g00000AbCdE","Acme, Inc.","FR","1250000.0","2024-01-05T09:12:33.000+0000","false"\n'
    '"0015g00000AbCdF","Bolt ""B"" Ltd","DE","","2023-12-01T10:00:00.000+0000","true"\n',
    "German ERP": "Kundennr;Name;PLZ;Ort;Umsatz;Letzter Kauf;Newsletter\n10001;Müller;01067;Dresden;1.250,50;03.01.2024;J\n"
    "10002;Weiß;80331;München;890,00;28.12.2023;N\n",
    "French ERP": "code_client;nom;cp;ca_ht;derniere_commande\nC001;Lefèvre;01000;12 450,90;31/01/2024\n"
    "C002;Noël;75011;890,00;02/02/2024\n",
    "Italian ERP": "id;nome;importo;data\n1;Luca;1.000,10;13/05/2024\n2;Sara;20,00;01/06/2024\n",
    "Swiss ERP": "id;name;betrag;datum\n1;Urs;1'250.50;13.05.2024\n2;Vreni;20.00;01.06.2024\n",
    "British shop": 'id,name,spend,joined\n1,Ann,"£1,250.50",13/05/2024\n2,Bob,£20.00,01/06/2024\n',
    "American shop": 'id,name,spend,joined\n1,Ann,"$1,250.50",05/13/2024\n2,Bob,$20.00,06/01/2024\n',
    "Indian shop": 'id,name,spend\n1,Asha,"₹1,23,456.00"\n2,Ravi,₹500.00\n',
    "web visits": "client_id,timestamp,page,device,duration\n1.2,2024-05-03T10:00:00.123Z,/a?x=1&y=2,mobile,12.5\n"
    "1.3,2024-05-03T10:00:01.456Z,/b,desktop,3\n",
    "advertising": "Date,Campaign,Impressions,Clicks,CTR,Cost\n2024-05-01,Spring,10234,123,1.20%,45.60\n"
    "2024-05-02,Spring,9876,98,0.99%,40.10\n",
    "survey": "id\tage_group\tsatisfied\tcomment\n1\t18-24\tyes\tIt's fine\n2\t25-34\tno\tToo expensive, sadly\n",
    "loyalty": "card|points|level|since\n00012345|1200|gold|2019-03-01\n00012346|35|basic|2024-01-31\n",
    "database dump": "id,name,deleted_at,is_active\n1,Ann,\\N,t\n2,Bob,2024-01-05 10:00:00,f\n3,NULL,NULL,t\n",
    "spreadsheet": "id,amount,rate,done\r\n1,1250.5,0.15,TRUE\r\n2,890,0.2,FALSE\r\n",
    "addresses": 'id,street,city\n1,"12, rue de la Paix\nBâtiment B",Paris\n2,"5 bis, quai",Lyon\n',
    "names": "id,name\n1,O'Hara\n2,d'Arc\n3,李雷\n4,Łukasz\n",
}


@pytest.fixture
def ask(desk: Desk) -> Callable[[Path], list[str]]:
    """What a run says that reads every column of a file."""

    def ask_of(path: Path) -> list[str]:
        raw = path.read_bytes()
        text = raw.decode("utf-8-sig", errors="replace")
        delimiter = max(",;\t|", key=text.partition("\n")[0].count)
        header = next(csv.reader(io.StringIO(text), delimiter=delimiter))
        key, *names = [name.strip() or f"column_{position}" for position, name in enumerate(header, 1)]
        asked = [f"[segment.s{i}]\ndemographic.{json.dumps(name)}.missing = true\n" for i, name in enumerate(names)]
        rules = (
            f'version = 1\nas_of = 2024-06-30\n[customers]\npath = "{path}"\nkey = {json.dumps(key)}\n'
            f'duplicates = "first"\n[output]\nlabel_column = "list"\n[segment.all]\neveryone = true\n{"".join(asked)}'
        )
        return [warning["message"] for warning in desk.json(rules)["warnings"]]

    return ask_of


@pytest.mark.parametrize("path", SHIPPED, ids=[str(path.relative_to(ROOT)) for path in SHIPPED])
def test_shipped_files(ask: Callable[[Path], list[str]], path: Path) -> None:
    if path.parts[-2:] == ("leads", "communes.csv"):
        pytest.skip("its postcodes are several in one field, which `explode` splits")
    assert ask(path) == []


@pytest.mark.parametrize("name", REAL)
def test_real_files(ask: Callable[[Path], list[str]], shared: Callable[[str], Path], name: str) -> None:
    assert ask(shared(name)) == []


@pytest.mark.parametrize("name", EXPORTS)
def test_exports(ask: Callable[[Path], list[str]], desk: Desk, name: str) -> None:
    assert ask(desk.put("export.csv", EXPORTS[name])) == []


def test_there_are_many() -> None:
    assert len(SHIPPED) + len(REAL) + len(EXPORTS) >= 60
