"""Guesses which columns of a file hold the key, the day and the money: first by name, then by type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import polars as pl

from segkit.io.read import Column, ColumnType, Table
from segkit.io.read.values.column import NUMERIC


class Role(NamedTuple):
    """What a column is for: the names it usually has, the best first, and the types it may have (empty: any)."""

    names: tuple[str, ...]
    types: tuple[ColumnType, ...] = ()


ID_TYPES = (ColumnType.TEXT, ColumnType.INTEGER)
ROLES: dict[str, Role] = {
    "key": Role(
        (
            "customerid", "customerkey", "customerno", "customernumber", "customer", "clientid", "client", "userid",
            "memberid", "accountid", "contactid", "buyerid", "idclient", "numeroclient", "numéroclient", "noclient",
            "codeclient", "clientno", "clientnumber", "kundennummer", "kundenid", "kundennr", "kdnr", "kunde", "custid",
            "idcliente", "codigocliente", "cliente", "klantnummer", "klantid", "user", "email", "id",
        )
    ),
    "time": Role(
        (
            "orderdate", "invoicedate", "purchasedate", "transactiondate", "eventdate", "orderedat", "createdat",
            "date", "day", "timestamp", "time", "datecommande", "datefacture", "bestelldatum",
            "rechnungsdatum", "orderdatum", "datum", "fecha",
        ),
        (ColumnType.DATE,),
    ),
    "amount": Role(
        (
            "amount", "revenue", "linetotal", "ordertotal", "total", "totalamount", "totalprice", "sales",
            "dollarvalue", "value", "turnover", "spend", "montant", "montantttc",
            "totalttc", "umsatz", "gesamtbetrag", "betrag",
            "importe", "bedrag", "price",
        ),
        NUMERIC,
    ),
    "id": Role(
        (
            "orderid", "invoiceid", "invoiceno", "invoicenumber", "orderno", "ordernumber", "transactionid",
            "receiptid", "basketid", "idcommande", "numerocommande", "numérocommande", "bestellnummer", "bestellnr",
            "numcommande", "numfacture", "auftragsnummer", "auftragsnr",
            "rechnungsnummer", "rechnungsnr", "belegnummer", "belegnr",
        )
    ),
    "item": Role(
        (
            "product", "productname", "item", "itemname", "article", "articlename", "producttitle", "lineitemname",
            "produit", "nomproduit", "artikel", "artikelname", "producto", "articulo",
            "modelname", "model",
            "sku", "productsku", "lineitemsku", "stockcode", "productcode", "itemcode", "articlecode", "productid",
            "productkey", "productno", "productnumber", "itemid", "itemno", "itemnumber", "articleid", "articleno",
            "articlenumber", "artikelnummer", "artikelnr", "refproduit", "codeproduit", "referenceproduit",
            "subcategoryname", "subcategory", "categoryname", "category", "categorie", "catégorie",
            "kategorie", "warengruppe", "description", "designation", "désignation", "bezeichnung", "title",
        )
    ),
    "recency_days": Role(("recencydays", "recency", "dayssincelastorder", "dayssincelastpurchase"), NUMERIC),
    "frequency": Role(("frequency", "numberoforders", "ordercount", "orders", "numorders", "norders"), NUMERIC),
    "monetary": Role(("monetary", "revenue", "totalspend", "totalspent", "spend", "amount", "sales"), NUMERIC),
}  # fmt: skip


MAYBE_IDS = ("invoice", "order", "receiptno", "receipt", "ticket", "facture", "commande", "name")
"""Names of columns with the number of the order, if their values look like one; the last is Shopify's."""
SHOPIFY = frozenset({"financialstatus", "lineitemname", "lineitemquantity"})
NUMBER_OF_ORDER = r"^\S*[0-9]\S*$"
QUANTITIES = frozenset({"quantity", "qty", "orderquantity", "anzahl", "menge", "quantite"})


def guess(table: Table, role: str, taken: Sequence[str] = ()) -> str | None:
    """The column that fits a role best, or None.

    A column with one of the role's names comes first. Where no name fits, the role `time` or `amount` takes the column
    that is the only one of its type.
    """
    wanted = ROLES[role]
    fitting = [c for c in table.columns.values() if c.name not in taken and _fits(c, wanted)]
    if role == "amount" and any(simple(name) in QUANTITIES for name in table.columns):
        # Beside a quantity, a price is the price of one piece, not the money of the row.
        fitting = [c for c in fitting if "price" not in simple(c.name) and simple(c.name) not in QUANTITIES]
    by_name = {simple(column.name): column.name for column in reversed(fitting)}
    named = next((by_name[name] for name in wanted.names if name in by_name), None)
    if named or role not in ("time", "amount"):
        return named
    alone = fitting if role == "time" else [c for c in fitting if c.type is ColumnType.NUMBER]
    return alone[0].name if len(alone) == 1 else None


def guess_item(names: Iterable[str], taken: Iterable[str]) -> str | None:
    """The column that holds what was bought, or None: one with a usual name, names of products before codes."""
    by_name = {simple(name): name for name in sorted({*names} - {*taken}, reverse=True)}
    return next((by_name[name] for name in ROLES["item"].names if name in by_name), None)


def guess_id(table: Table, key: str, taken: Sequence[str]) -> str | None:
    """The column that tells orders apart, or None: one with a usual name, or one whose values can be nothing else.

    All rows are looked at: numbers of orders are single words with a digit, and each belongs to one customer.
    """
    if named := guess(table, "id", taken):
        return named
    fitting = {simple(c.name): c.name for c in table.columns.values() if c.name not in taken and c.type in ID_TYPES}
    maybe = [fitting[name] for name in MAYBE_IDS if name in fitting]
    return next((name for name in maybe if _numbers_orders(table, name, key)), None)


def _numbers_orders(table: Table, name: str, key: str) -> bool:
    shape = NUMBER_OF_ORDER
    if simple(name) == "name" and not SHOPIFY & {*map(simple, table.columns)}:
        shape = f"^#{NUMBER_OF_ORDER[1:]}"
    pairs = table.frame.select(table.key(name).alias("id"), table.key(key).alias("key")).drop_nulls().unique()
    found = pairs.select(pl.len(), pl.col("id").n_unique().alias("ids"), pl.col("id").str.contains(shape).all())
    rows, ids, shaped = found.collect(engine="streaming").row(0)
    return bool(rows == ids and rows and shaped)


def _fits(column: Column, role: Role) -> bool:
    return not role.types or column.type in role.types


def simple(name: str) -> str:
    """A name in lower case, without spaces and punctuation."""
    return re.sub(r"[\W_]+", "", name.lower())


def date_like(names: Iterable[str]) -> list[str]:
    """The names that promise a date, so that 19970101 in such a column is read as one."""
    simplified = {name: simple(name) for name in names}
    return [n for n, s in simplified.items() if "date" in s or "datum" in s or s in ("day", "jour", "tag")]
