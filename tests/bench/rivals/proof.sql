WITH h1 AS (SELECT *, (n + 12345) % 2147483647 AS h FROM numbered),
h2 AS (SELECT *, (h * h % 2147483647 + position + 12345) % 2147483647 AS i FROM h1),
h3 AS (SELECT *, (i * i % 2147483647 + kind + 12345) % 2147483647 AS j FROM h2),
h4 AS (SELECT *, (j * j % 2147483647 + cents + 12345) % 2147483647 AS k FROM h3),
h5 AS (SELECT *, (k * k % 2147483647 + status + 12345) % 2147483647 AS l FROM h4),
h6 AS (SELECT *, (l * l % 2147483647 + month + 12345) % 2147483647 AS m FROM h5)
SELECT count(*), sum(cents), sum(m * m % 2147483647) FROM h6
