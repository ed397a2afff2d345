-- The benchmark's job in DuckDB SQL. `customers_file`, `orders_file` (views over the files) come from
-- duckdb_job.py, as does the variable `out`, the directory to write into.

CREATE TEMP TABLE customers AS FROM customers_file;

CREATE TEMP TABLE features AS
SELECT
    customer_id,
    max(order_date) AS last_order,
    count(*) AS frequency,
    sum(amount) AS monetary,
    count(*) FILTER (order_date >= DATE '2025-07-01' - 90) AS orders_90d,
    bool_or(product = 'bricks') AS bricks,
    bool_or(product = 'sand') AS sand,
    sum(amount) FILTER (category = 'garden' AND order_date >= DATE '2024-07-01') AS garden,
    bool_or(product = 'drill' AND order_date >= DATE '2025-01-01') AS drill_6m
FROM orders_file
WHERE order_date <= DATE '2025-07-01'
GROUP BY customer_id;

-- Score k + 1 is for values over the ceil(k N / 5)-th smallest: equal values share the lowest rank.
CREATE TEMP TABLE cuts AS
SELECT
    quantile_disc(last_order, [0.2, 0.4, 0.6, 0.8]) AS r,
    quantile_disc(frequency, [0.2, 0.4, 0.6, 0.8]) AS f,
    quantile_disc(monetary, [0.2, 0.4, 0.6, 0.8]) AS m
FROM features;

CREATE MACRO score(value, cuts) AS
    1 + (value > cuts[1])::INT + (value > cuts[2])::INT + (value > cuts[3])::INT + (value > cuts[4])::INT;

CREATE MACRO km_from(place_latitude, place_longitude, latitude, longitude) AS
    2 * 6371.0088 * asin(sqrt(
        pow(sin((radians(latitude) - radians(place_latitude)) / 2), 2)
        + cos(radians(latitude)) * cos(radians(place_latitude))
        * pow(sin((radians(longitude) - radians(place_longitude)) / 2), 2)
    ));

CREATE TEMP TABLE labelled AS
WITH scored AS (
    SELECT
        customers.*,
        customers.rowid AS place_in_file,
        features.* EXCLUDE (customer_id),
        score(last_order, cuts.r) AS r_score,
        100 * score(last_order, cuts.r) + 10 * score(frequency, cuts.f) + score(monetary, cuts.m) AS code
    FROM customers LEFT JOIN features USING (customer_id), cuts
)
SELECT
    * EXCLUDE (last_order, frequency, monetary, orders_90d, bricks, sand, garden, drill_6m, r_score, code),
    age BETWEEN 25 AND 65 AND country IN ('FR', 'BE', 'CH', 'DE') AND income >= 60000 AS well_off,
    km_from(48.8566, 2.3522, latitude, longitude) <= 50 AS near_paris,
    orders_90d >= 3 AS frequent,
    bricks AND NOT sand AS bricks_no_sand,
    garden > 500 AS gardeners,
    code IN (555, 554, 544, 545, 454, 455, 445) AS champions,
    code IN (
        255, 254, 245, 244, 253, 252, 243, 242, 235, 234, 225, 224, 153, 152, 145, 143, 142, 135, 134, 133, 125, 124,
        155, 154, 144, 214, 215, 115, 114, 113
    ) AND monetary >= 500 AS win_back,
    gender = 'F' AND email_opt_in AND country = 'FR' AND r_score >= 4 AND NOT drill_6m AS french_women_no_drill
FROM scored;

CREATE MACRO members(name, chosen) AS TABLE
SELECT customer_id, name AS segment, age, gender, country, income, latitude, longitude, signed_up, email, email_opt_in
FROM labelled
WHERE chosen
ORDER BY place_in_file;

COPY (FROM members('well-off', well_off)) TO (getvariable('out') || '/well-off.csv');
COPY (FROM members('near-paris', near_paris)) TO (getvariable('out') || '/near-paris.csv');
COPY (FROM members('frequent', frequent)) TO (getvariable('out') || '/frequent.csv');
COPY (FROM members('bricks-no-sand', bricks_no_sand)) TO (getvariable('out') || '/bricks-no-sand.csv');
COPY (FROM members('gardeners', gardeners)) TO (getvariable('out') || '/gardeners.csv');
COPY (FROM members('champions', champions)) TO (getvariable('out') || '/champions.csv');
COPY (FROM members('win-back', win_back)) TO (getvariable('out') || '/win-back.csv');
COPY (FROM members('french-women-no-drill', french_women_no_drill)) TO (getvariable('out') || '/french-women-no-drill.csv');

SELECT
    count(*) FILTER (well_off) AS "well-off",
    count(*) FILTER (near_paris) AS "near-paris",
    count(*) FILTER (frequent) AS "frequent",
    count(*) FILTER (bricks_no_sand) AS "bricks-no-sand",
    count(*) FILTER (gardeners) AS "gardeners",
    count(*) FILTER (champions) AS "champions",
    count(*) FILTER (win_back) AS "win-back",
    count(*) FILTER (french_women_no_drill) AS "french-women-no-drill"
FROM labelled;
