"""Names of columns by which people may be discriminated against, or that need their consent."""

from __future__ import annotations

import pytest

from segkit.operations.personal.protected import ground, special_kind

SPECIAL = {
    "health": "health_score disability pregnant Santé Schwerbehinderung blood_type isSmoker",
    "religion": "religion Konfession religious_group",
    "ethnic origin": "ethnicity race Hautfarbe EthnicGroup",
    "politics": "political_party politics",
    "trade union": "union_member trade_union Gewerkschaft",
    "sexual life": "sexual_orientation sexuality",
    "body": "biometric_id fingerprint",
}
GROUNDS = {
    "gender": "Gender sex Geschlecht Anrede civilité Prefix title is_male",
    "age": "age Age AgeGroup customer_age age_in_years Alter BirthDate Year_Birth SeniorCitizen dob",
    "family": "MaritalStatus Marital_Status état_civil Familienstand TotalChildren Kidhome Partner Dependents householdSize",
    "nationality": "nationality Staatsangehörigkeit country_of_birth",
}
NEITHER = (
    "page usage average mileage account_age age_of_account Education company country language union races job_title "
    "senior_manager prefix_phone female_share votes alternative sextant AnnualIncome FamilyName kidney"
)


@pytest.mark.parametrize(("kind", "names"), SPECIAL.items(), ids=SPECIAL)
def test_special_categories_of_personal_data(kind: str, names: str) -> None:
    assert {name: special_kind(name) for name in names.split()} == dict.fromkeys(names.split(), kind)


@pytest.mark.parametrize(("kind", "names"), GROUNDS.items(), ids=GROUNDS)
def test_grounds_of_discrimination(kind: str, names: str) -> None:
    assert {name: ground(name) for name in names.split()} == dict.fromkeys(names.split(), kind)
    assert not any(special_kind(name) for name in names.split())


def test_other_names_tell_nothing() -> None:
    assert [name for name in NEITHER.split() if special_kind(name) or ground(name)] == []
