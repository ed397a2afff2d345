"""Where customers are: circles, zones drawn in GeoJSON, and places known from a postcode alone."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.desk import Desk, head

GEO = pytest.mark.extra("geo")
HEAD = head('latitude = "lat"', 'longitude = "lon"')

Point = tuple[float | None, float | None]

SQUARE = [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]
HOLE = [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]
FAR = [[20, 0], [30, 0], [30, 10], [20, 10], [20, 0]]
POINTS: dict[str, Point | None] = {
    "middle": (5, 2), "hole": (5, 5), "edge of hole": (4, 5), "edge": (10, 5), "corner": (0, 0), "beside": (10.000001, 5),
    "far": (25, 5), "nowhere": None, "half": (5, None), "impossible": (5, 95), "beyond": (185, 5), "text": (2, 5),
}  # fmt: skip
"""Longitude and latitude, as GeoJSON has them."""


def feature(name: object, *rings: object, kind: str = "Polygon", **properties: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": {"name": name, **properties},
        "geometry": {"type": kind, "coordinates": [list(rings)] if kind == "MultiPolygon" else list(rings)},
    }


def collection(*features: dict[str, Any], **more: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more}, ensure_ascii=False)


ZONES = collection(feature("Square", SQUARE, HOLE), feature("Far", FAR, kind="MultiPolygon"), feature(7, HOLE))


def put_points(desk: Desk, points: Mapping[str, Point | None] | None = None) -> None:
    rows = ["id,lat,lon"]
    for name, point in (points or POINTS).items():
        lon, lat = point or (None, None)
        rows.append(f"{name},{'' if lat is None else lat},{'' if lon is None else lon}")
    desk.put("c.csv", "\n".join(rows) + "\n")


# --- circles ---


def distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle distance of two points (latitude, longitude), by the angle between two vectors."""

    def vector(latitude: float, longitude: float) -> tuple[float, float, float]:
        phi, lam = math.radians(latitude), math.radians(longitude)
        return math.cos(phi) * math.cos(lam), math.cos(phi) * math.sin(lam), math.sin(phi)

    u, v = vector(*a), vector(*b)
    cross = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    return 6371.0088 * math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(u, v, strict=True)))


NEAR = [
    # centre, another place, their distance in km
    ((0, 179.9), (0, -179.9), 22.239),  # over the antimeridian
    ((-16.5, 179.99), (-16.5, -179.99), 2.132),
    ((89.9, 0), (89.9, 180), 22.239),  # over the pole
    ((90, 0), (90, 137), 0),  # a pole has one place and any longitude
    ((-90, 12), (-89, 100), 111.195),
    ((0, 0), (0, 180), 20015.115),  # the other end of the earth
    ((48.8566, 2.3522), (-48.8566, -177.6478), 20015.115),
    ((48.8566, 2.3522), (45.764, 4.8357), 391.499),
]


@pytest.mark.parametrize(("centre", "place", "km"), NEAR)
def test_near_is_the_great_circle_distance(
    desk: Desk, centre: tuple[float, float], place: tuple[float, float], km: float
) -> None:
    assert distance(centre, place) == pytest.approx(km, abs=0.001)
    desk.put("c.csv", f"id,lat,lon\nplace,{place[0]},{place[1]}\nnone,,\nno longitude,{place[0]},\n")
    circle = f"geographic.near = {{ latitude = {centre[0]}, longitude = {centre[1]}, km = %s }}"
    wider, closer = (circle % round(km + d, 3) for d in (0.001, -0.001))
    found = desk.members(HEAD, {"in": wider, "not in": f"none = [{{ {wider} }}]"})
    assert found == {"in": ["place"], "not in": ["none", "no longitude"]}
    if km:
        assert desk.members(HEAD, {"out": closer}) == {"out": []}


def test_near_takes_any_of_several_circles(desk: Desk) -> None:
    put_points(desk)
    first, second = "{ latitude = 2, longitude = 5, km = 1 }", "{ latitude = 5, longitude = 25, km = 1 }"
    cases = {
        f"geographic.near = [{first}, {second}]": ["middle", "far"],
        f"geographic.near = [{first}]": ["middle"],
        "geographic.near = { latitude = 0, longitude = 0, km = 30_000 }": [
            n for n in POINTS if n not in ("nowhere", "half", "impossible", "beyond")
        ],
    }
    assert desk.members(HEAD, {c: c for c in cases}) == cases


# --- zones ---

SQUARE_HAS = ["middle", "edge of hole", "edge", "corner", "text"]
CASES = {
    'geographic.inside = "zones.geojson"': ["middle", "hole", "edge of hole", "edge", "corner", "far", "text"],
    'geographic.inside = { path = "zones.geojson" }': ["middle", "hole", "edge of hole", "edge", "corner", "far", "text"],
    'geographic.inside = { path = "zones.geojson", name = "Square" }': SQUARE_HAS,
    'geographic.inside = { path = "zones.geojson", name = ["Far"] }': ["far"],
    'geographic.inside = { path = "zones.geojson", name = ["Far", "Square"] }': [
        n for n in POINTS if n in (*SQUARE_HAS, "far")
    ],
    'geographic.inside = { path = "zones.geojson", name = "7" }': ["hole", "edge of hole"],
    'geographic.inside = [{ path = "zones.geojson", name = "7" }, { path = "zones.geojson", name = "Far" }]': [
        "hole", "edge of hole", "far",
    ],
    'geographic.inside = ["zones.geojson"]': ["middle", "hole", "edge of hole", "edge", "corner", "far", "text"],
    'none = [{ geographic.inside = "zones.geojson" }]': ["beside", "nowhere", "half", "impossible", "beyond"],
    'geographic = { inside = { path = "zones.geojson", name = "Square" }, lat.above = 2 }': [
        n for n in SQUARE_HAS if n not in ("middle", "corner")
    ],
}  # fmt: skip


@pytest.fixture
def map_desk(desk: Desk) -> Desk:
    put_points(desk)
    desk.put("zones.geojson", ZONES)
    return desk


@GEO
def test_inside(map_desk: Desk) -> None:
    assert map_desk.members(HEAD, {c: c for c in CASES}) == CASES


@GEO
@pytest.mark.parametrize("format", ["parquet", "ndjson"])
def test_inside_of_typed_columns(map_desk: Desk, format: str) -> None:
    rows = [(name, *(reversed(point) if point else (None, None))) for name, point in POINTS.items()]
    frame = pl.DataFrame(rows, schema={"id": pl.String, "lat": pl.Float64, "lon": pl.Float64}, orient="row")
    map_desk.put(
        f"c.{format}", frame.with_columns(pl.col("lon").fill_null(float("nan"))) if format == "parquet" else frame
    )
    assert map_desk.members(HEAD.replace("c.csv", f"c.{format}"), {c: c for c in CASES}) == CASES


@GEO
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("one feature", json.dumps(feature("Square", SQUARE, HOLE))),
        ("a bare geometry", json.dumps({"type": "Polygon", "coordinates": [SQUARE, HOLE]})),
        ("a bare multipolygon", json.dumps({"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE]]})),
        (
            "nested collections",
            json.dumps(
                {
                    "type": "GeometryCollection",
                    "geometries": [
                        {"type": "Point", "coordinates": [25, 5]},
                        {
                            "type": "GeometryCollection",
                            "geometries": [{"type": "MultiPolygon", "coordinates": [[SQUARE, HOLE]]}],
                        },
                    ],
                }
            ),
        ),
        ("a byte order mark", "\ufeff" + collection(feature("Square", SQUARE, HOLE))),
        ("heights", collection(feature("Square", *([[*p, 12.5] for p in ring] for ring in (SQUARE, HOLE))))),
        ("WGS 84 by name", collection(feature("S", SQUARE, HOLE), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}})),
        ("EPSG 4326", collection(feature("S", SQUARE, HOLE), crs={"type": "name", "properties": {"name": "EPSG:4326"}})),
        ("no crs", collection(feature("S", SQUARE, HOLE), crs=None)),
        ("features without an area", collection({"type": "Feature", "properties": None, "geometry": None}, feature("S", SQUARE, HOLE), {"type": "Feature", "properties": {"name": "p"}, "geometry": {"type": "Point", "coordinates": [25, 5]}})),
    ],
    ids=lambda value: value if " " in value and len(value) < 40 else "",
)  # fmt: skip
def test_every_kind_of_geojson(desk: Desk, name: str, content: str) -> None:
    put_points(desk)
    desk.put("z.json", content)
    assert desk.members(HEAD, {"s": 'geographic.inside = "z.json"'})["s"] == SQUARE_HAS


@GEO
def test_inside_a_compressed_file_and_a_glob(desk: Desk, gz: Callable[[str], bytes]) -> None:
    put_points(desk)
    desk.put("zones/a.geojson.gz", gz(collection(feature("Square", SQUARE, HOLE))))
    desk.put("zones/b.geojson", collection(feature("Far", FAR)))
    cases = {
        'geographic.inside = "zones/a.geojson.gz"': SQUARE_HAS,
        'geographic.inside = { path = "zones/*", name = "Far" }': ["far"],
    }
    assert desk.members(HEAD, {c: c for c in cases}) == cases


@GEO
def test_a_name_may_stand_in_another_property(desk: Desk) -> None:
    put_points(desk)
    desk.put("z.geojson", collection(feature(None, SQUARE, nom="Évreux"), feature(None, FAR, nom="Brest")))
    inside = 'geographic.inside = { path = "z.geojson", name = "%s", property = "nom" }'
    assert desk.members(HEAD, {"s": inside % "Évreux"})["s"] == [
        "middle",
        "hole",
        "edge of hole",
        "edge",
        "corner",
        "text",
    ]
    done = desk.apply(HEAD + f"[segment.s]\n{inside % 'Évreu'}\n", code=2)
    assert "no zone of `z.geojson` has the name `Évreu`" in done.stderr
    assert "did you mean `Évreux`?" in done.stderr
    assert "rules.toml:9:43" in done.stderr


@GEO
def test_a_zone_that_crosses_itself_has_the_area_of_its_two_halves(desk: Desk) -> None:
    desk.put("z.geojson", collection(feature("bow tie", [[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]])))
    put_points(desk, {"left": (0.2, 1), "right": (1.8, 1), "top": (1, 1.8), "bottom": (1, 0.2)})
    assert desk.members(HEAD, {"s": 'geographic.inside = "z.geojson"'})["s"] == ["left", "right"]


@GEO
@pytest.mark.parametrize("kind", ["MultiPolygon", "GeometryCollection"])
def test_where_the_polygons_of_a_zone_overlap_is_inside(desk: Desk, kind: str) -> None:
    """RFC 7946 wants them apart; files drawn by hand have them overlap, and nobody means a hole."""
    other = [[2, 2], [6, 2], [6, 6], [2, 6], [2, 2]]
    rings = [[[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]], other]
    parts = [{"type": "Polygon", "coordinates": [ring]} for ring in rings]
    shapes = {"coordinates": [[r] for r in rings]} if kind == "MultiPolygon" else {"geometries": parts}
    desk.put("z.geojson", json.dumps({"type": kind, **shapes}))
    put_points(desk, {"one": (1, 1), "both": (3, 3), "other": (5, 5), "none": (5, 1)})
    assert desk.members(HEAD, {"s": 'geographic.inside = "z.geojson"'}) == {"s": ["one", "both", "other"]}


def crosses(x: float, y: float, ring: list[list[float]]) -> bool:
    """Whether a ray from the point crosses the ring an odd number of times."""
    inside = False
    for (x1, y1), (x2, y2) in itertools.pairwise(ring):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


@GEO
def test_many_points_and_zones_against_ray_casting(desk: Desk) -> None:
    chance = random.Random(5)
    zones = {}
    for number in range(40):
        x, y = chance.uniform(-170, 170), chance.uniform(-80, 80)
        turns = sorted(chance.uniform(0, 2 * math.pi) for _ in range(12))
        ring = [[x + chance.uniform(1, 8) * math.cos(t), y + chance.uniform(1, 8) * math.sin(t)] for t in turns]
        zones[f"z{number}"] = [*ring, ring[0]]
    points = {f"p{i}": (chance.uniform(-180, 180), chance.uniform(-90, 90)) for i in range(4_000)}
    put_points(desk, points)
    desk.put("z.geojson", collection(*(feature(name, ring) for name, ring in zones.items())))
    names = ["z1", "z7", "z20"]
    asked = {
        "all": 'geographic.inside = "z.geojson"',
        "some": f'geographic.inside = {{ path = "z.geojson", name = {json.dumps(names)} }}',
    }
    found = desk.members(HEAD, asked)
    by_hand = {p: {z for z, ring in zones.items() if crosses(*points[p], ring)} for p in points}
    assert found["all"] == [p for p in points if by_hand[p]]
    assert found["some"] == [p for p in points if by_hand[p] & set(names)]
    assert len(found["all"]) > 50
    assert 0 < len(found["some"]) < len(found["all"])


@GEO
def test_zones_are_inputs_of_the_manifest(map_desk: Desk) -> None:
    map_desk.apply(HEAD + '[segment.s]\ngeographic.inside = "zones.geojson"\n')
    manifest = json.loads((map_desk / "segments/manifest.json").read_text())
    found = {i["table"]: i for i in manifest["inputs"]}["zones"]
    assert found["path"].endswith("zones.geojson")
    assert found["bytes"] == len(ZONES.encode())
    assert len(found["sha256"]) == 64


@GEO
def test_a_zone_file_is_not_overwritten(map_desk: Desk) -> None:
    map_desk.put("s.csv", ZONES)
    done = map_desk.apply(HEAD + '[segment.s]\ngeographic.inside = "s.csv"\n', "-o", map_desk.folder, code=4)
    assert "is an input" in done.stderr
    assert (map_desk / "s.csv").read_text() == ZONES


# --- what is wrong with zones ---


@GEO
@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"type": "FeatureCollection",\n "features": [}', "bad.geojson:2"),
        ("id,lat\n", "is not valid JSON"),
        ("[" * 100_000, "has brackets within brackets without end"),
        ("[1, 2]", "JSON, but not GeoJSON"),
        ('{"type": "Topology", "objects": {}}', "TopoJSON"),
        ('{"type": "FeatureCollection"}', "`features`"),
        ('{"type": "FeatureCollection", "features": [3]}', "`features`"),
        (collection(), "no polygon"),
        (collection({"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [1, 2]}}), "no polygon"),
        (collection({"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": []}}), "no polygon"),
        (collection(feature("a", [[0, 0], [1, 1]])), "feature 1"),
        (collection(feature("a", SQUARE), feature("b", [["x", "y"], [1, 1], [2, 0], ["x", "y"]])), "feature 2"),
        (collection({"type": "Feature", "properties": {}, "geometry": {"type": "Circle", "coordinates": []}}), "feature 1"),
        (collection({"type": "Feature", "properties": {}, "geometry": "POLYGON"}), "feature 1"),
        (collection(feature("a", [[650000, 6860000], [651000, 6860000], [651000, 6861000], [650000, 6860000]])), "longitudes from 650000 to 651000"),
        (collection(feature("a", [[48, 100], [49, 100], [49, 101], [48, 100]])), "longitude before latitude"),
        (collection(feature("a", SQUARE), crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::2154"}}), "EPSG::2154"),
        (collection(feature("a", SQUARE), crs={"type": "link", "properties": {"href": "x"}}), "not in WGS 84"),
        (b"PK\x03\x04zip", "WGS 84"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("", "empty"),
    ],
)  # fmt: skip
def test_a_file_without_zones(desk: Desk, content: bytes | str, says: str) -> None:
    put_points(desk)
    desk.put("bad.geojson", content)
    done = desk.apply(HEAD + '[segment.s]\ngeographic.inside = "bad.geojson"\n', code=3)
    assert done.stderr.startswith("error: ")
    assert says in done.stderr
    assert "bad.geojson" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("criteria", "code", "says"),
    [
        pytest.param('geographic.inside = "zone.geojson"', 3, ["there is no file `zone.geojson`", "did you mean `zones.geojson`?"], marks=GEO),
        pytest.param('geographic.inside = { path = "zones.geojson", name = "square" }', 2, ["no zone", "did you mean `Square`?", "rules.toml:9:47"], marks=GEO),
        pytest.param('geographic.inside = { path = "zones.geojson", name = ["Far", "Harbour"] }', 2, ["`Harbour`", "the names are `7`, `Far` and `Square`"], marks=GEO),
        pytest.param('geographic.inside = { path = "zones.geojson", name = "x", property = "nom" }', 2, ["property `nom`", "`name`"], marks=GEO),
        ('geographic.inside = { path = "zones.geojson", name = [] }', 2, ["the list is empty"]),
        ('geographic.inside = { name = "x" }', 2, ["`path`"]),
        ("geographic.inside = 5", 2, ["GeoJSON"]),
        ('demographic.inside = "zones.geojson"', 2, ["`inside`"]),
        ('inside = "zones.geojson"', 2, ["write `geographic.inside`"]),
        ('geographic.inside = { path = "zones.geojson", names = "x" }', 2, ["did you mean `name`"]),
    ],
)  # fmt: skip
def test_wrong_about_zones(map_desk: Desk, criteria: str, code: int, says: list[str]) -> None:
    done = map_desk.apply(HEAD + f"[segment.s]\n{criteria}\n", code=code)
    for part in says:
        assert part in done.stderr


def test_zones_need_coordinates(map_desk: Desk) -> None:
    done = map_desk.apply(head() + '[segment.s]\ngeographic.inside = "zones.geojson"\n', code=2)
    assert "`inside` needs the coordinates of the customers" in done.stderr


@GEO
def test_check_looks_at_zones_with_data(map_desk: Desk) -> None:
    path = map_desk.put(
        "rules.toml", HEAD + '[segment.s]\ngeographic.inside = { path = "zones.geojson", name = "X" }\n'
    )
    map_desk.segkit("check", path)
    assert "no zone" in map_desk.segkit("check", path, "--data", code=1).output


# --- from a postcode ---

COMMUNES = """code,nom,region,codes,population,latitude,longitude,density
01053,Bourg-en-Bresse,84,01000,42000.0,46.2051,5.2460,1780
01344,Saint-Denis-lès-Bourg,84,01000,5800.0,46.2022,5.1892,420
35238,Rennes,53,35000|35200|35700,230890.0,48.1119,-1.6818,4466
35240,Le Rheu, 53,35650 | 35700,9000.0,48.1003,-1.7950,480
49129,Écouflant,52,49000,4749.0,47.5286,-0.5184,280
49007,Angers,52,49000|49100,159022.0,47.4768,-0.5561,3700
75056,Paris,11,75001|75011,2103778.0,,,20000
75111,Paris 11e,11,75011,138170.0,48.8594,2.3787,37000
"""
LOOKUP = """[lookup.communes]
path = "communes.csv"
on = { postcode = "codes" }
explode = { codes = "|" }
columns = ["nom", "region", "population", "density", "lat", "lon"]
rename = { lat = "latitude", lon = "longitude" }
duplicates = "first"
by = "population"
"""
PEOPLE = "id,postcode\nlyon road,01000\nrennes,35200\nle rheu,35650\nshared,35700\nangers,49000\nparis,75011\nunknown,99999\nnone,\n"
BANDS = '[trait.band]\nbands = { of = "density", edges = [500, 5_000], labels = ["rural", "town", "city"] }\n'
FROM_POSTCODE = {
    "geographic.region = 84": ["lyon road"],
    "geographic.region = [52, 53]": ["rennes", "le rheu", "shared", "angers"],
    'geographic.band = "rural"': ["le rheu"],
    'geographic.band = ["town", "city"]': ["lyon road", "rennes", "shared", "angers", "paris"],
    "geographic.near = { latitude = 48.11, longitude = -1.68, km = 5 }": ["rennes", "shared"],
    "geographic.near = { latitude = 48.11, longitude = -1.68, km = 20 }": ["rennes", "le rheu", "shared"],
    "none = [{ geographic.near = { latitude = 48.11, longitude = -1.68, km = 20_100 } }]": ["paris", "unknown", "none"],
    'geographic.inside = "west.geojson"': ["rennes", "le rheu", "shared", "angers"],
    "geographic.lat.missing = true": ["paris", "unknown", "none"],
}
WEST = collection(feature("West", [[-5.5, 46], [0, 46], [0, 49], [-5.5, 49], [-5.5, 46]]))


@pytest.fixture
def postcodes(desk: Desk) -> Desk:
    desk.put("c.csv", PEOPLE)
    desk.put("communes.csv", COMMUNES)
    desk.put("west.geojson", WEST)
    return desk


@GEO
def test_region_band_and_distance_from_a_postcode(postcodes: Desk) -> None:
    assert postcodes.members(HEAD + LOOKUP + BANDS, {c: c for c in FROM_POSTCODE}) == FROM_POSTCODE
    names = postcodes.columns(HEAD + LOOKUP, "nom")
    assert names == {
        "lyon road": "Bourg-en-Bresse", "rennes": "Rennes", "le rheu": "Le Rheu", "shared": "Rennes", "angers": "Angers",
        "paris": "Paris", "unknown": "", "none": "",
    }  # fmt: skip


@GEO
def test_places_of_a_commune_that_is_found_by_a_computed_column(postcodes: Desk) -> None:
    """The postcode itself is computed: from the orders, or by SQL."""
    orders = "".join(
        f"{line.split(',')[0]},2024-01-01,{line.split(',')[1]}\n" for line in PEOPLE.splitlines()[1:] if line[-1] != ","
    )
    postcodes.put("o.csv", "id,day,postcode\n" + orders)
    postcodes.put("c.csv", "id\n" + "".join(f"{line.split(',')[0]}\n" for line in PEOPLE.splitlines()[1:]))
    head = HEAD + '[events.o]\npath = "o.csv"\ntime = "day"\n'
    head += '[trait.postcode]\nevents = "o"\nmeasure = "last"\nof = "postcode"\n'
    assert postcodes.members(head + LOOKUP + BANDS, {c: c for c in FROM_POSTCODE}) == FROM_POSTCODE


def test_customers_without_a_place_are_counted(postcodes: Desk) -> None:
    segment = "[segment.s]\ngeographic.near = { latitude = 48.11, longitude = -1.68, km = 5 }\n"
    tables = {t["name"]: t for t in postcodes.json(HEAD + LOOKUP + segment)["tables"]}
    assert tables["customers"]["detected"]["coordinates"] == "5 of 8 customers"
    done = postcodes.apply(HEAD + LOOKUP + segment, "--dry-run", "-v")
    assert "coordinates: 5 of 8 customers" in done.stderr
    # Without the communes that have no place, the postcode is that of the largest one that has.
    lookup = LOOKUP + "where.lat.missing = false\n"
    tables = {t["name"]: t for t in postcodes.json(HEAD + lookup + segment)["tables"]}
    assert tables["customers"]["detected"]["coordinates"] == "6 of 8 customers"
    assert tables["lookup.communes"]["left_out"]["where"] == 2
    assert postcodes.columns(HEAD + lookup, "nom")["paris"] == "Paris 11e"


@pytest.mark.parametrize(
    ("written", "derive", "found"),
    [
        ("01000", "", "Bourg-en-Bresse"),
        ("1000", "", ""),  # keys are text: a spreadsheet has dropped the zero
        ("1000", "derive = { cp = \"RIGHT('00000' || postcode, 5)\" }\n", "Bourg-en-Bresse"),
        ("01000", "derive = { cp = \"RIGHT('00000' || postcode, 5)\" }\n", "Bourg-en-Bresse"),
        (" 01000 ", "", "Bourg-en-Bresse"),
    ],
)
@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_a_postcode_without_its_zero(postcodes: Desk, written: str, derive: str, found: str, format: str) -> None:
    values = [written, "35200", None]
    frame = pl.DataFrame({"id": ["a", "b", "c"], "postcode": values})
    if format == "parquet" and written == "1000":
        frame = frame.with_columns(pl.col("postcode").cast(pl.Int64))
    postcodes.put(f"c.{format}", frame)
    head = HEAD.replace("c.csv", f"c.{format}") + derive
    lookup = LOOKUP.replace("postcode =", "cp =") if derive else LOOKUP
    assert postcodes.columns(head + lookup, "nom") == {"a": found, "b": "Rennes", "c": ""}


@GEO
def test_all_communes_of_france_against_duckdb(desk: Desk, shared: Callable[[str], Path]) -> None:
    import duckdb

    source = shared("geo/fr_communes_2026.csv")
    desk.put("communes.csv", source.read_bytes())
    with duckdb.connect() as db:
        db.execute(f"create table commune as from read_csv('{source}', all_varchar = true)")
        db.execute("""
            create table code as
            select unnest(string_split(codesPostaux, '|')) as cp, nom, region, population::double as people,
                   latitude::double as lat, longitude::double as lon, row_number() over () as row
            from commune where codesPostaux <> ''
        """)
        codes = [cp for (cp,) in db.execute("select distinct cp from code order by cp").fetchall()]
        desk.put("c.csv", pl.DataFrame({"id": [f"c{cp}" for cp in codes], "postcode": codes}))
        best = "select distinct on (cp) * from code order by cp, people desc nulls last, row"
        km = """2 * 6371.0088 * asin(sqrt(pow(sin(radians(lat - 48.1173) / 2), 2)
                + cos(radians(48.1173)) * cos(radians(lat)) * pow(sin(radians(lon + 1.6778) / 2), 2)))"""
        criteria = {
            "geographic.region = '53'": "region = '53'",
            "geographic.size = 'large'": "people >= 100_000",
            "geographic.size = 'small'": "people < 2_000",
            "geographic.near = { latitude = 48.1173, longitude = -1.6778, km = 50 }": f"{km} <= 50",
            "geographic.inside = 'west.geojson'": "lon between -5.5 and 0 and lat between 46 and 49",
            "geographic.latitude.missing = true": "lat is null",
            "geographic = { region = ['52', '53'], size = 'middle' }": "region in ('52', '53') and people >= 2_000 and people < 100_000",
        }  # fmt: skip
        expected = {
            name: [f"c{cp}" for (cp,) in db.execute(f"select cp from ({best}) where {sql} order by cp").fetchall()]
            for name, sql in criteria.items()
        }
    desk.put("west.geojson", WEST)
    head = HEAD.replace('"lat"', '"latitude"').replace('"lon"', '"longitude"')
    head += (
        LOOKUP.replace('"codes"', '"codesPostaux"')
        .replace("codes =", "codesPostaux =")
        .replace('columns = ["nom", "region", "population", "density", "lat", "lon"]\n', "")
        .replace('rename = { lat = "latitude", lon = "longitude" }\n', "")
    )
    head += (
        '[trait.size]\nbands = { of = "population", edges = [2_000, 100_000], labels = ["small", "middle", "large"] }\n'
    )
    assert desk.members(head, {c: c for c in criteria}) == expected
    assert len(codes) > 6_000
    assert all(expected.values())
    assert {"c75001", "c69001", "c13001"} <= set(expected["geographic.latitude.missing = true"])
