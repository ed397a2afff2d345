"""Names of months in English, French, German, Spanish, Italian, Portuguese and Dutch."""

from __future__ import annotations

_NAMES = (
    "jan january janv janvier jän jänner januar ene enero gen gennaio janeiro januari",
    "feb february févr fév fevr février fevrier febr februar febrero febbraio fev fevereiro februari",
    "mar march mars mär märz maerz mrz marzo março marco mrt maart",
    "apr april avr avril abr abril aprile",
    "may mai mayo mag maggio maio mei",
    "jun june juin juni junio giu giugno junho",
    "jul july juil juillet juli julio lug luglio julho",
    "aug august août aout ago agosto augustus",
    "sep sept september septembre septiembre set settembre setembro",
    "oct october octobre okt oktober octubre ott ottobre out outubro",
    "nov november novembre noviembre novembro",
    "dec december déc decembre décembre dez dezember dic diciembre dicembre dezembro",
)
MONTHS = {name: month for month, names in enumerate(_NAMES, 1) for name in names.split()}
"""Name or short name, in lower case without a full stop -> number. French `jui` is June or July, so it is none."""
