"""The books of what observations are (facet_counts, facet_changes) against the rows themselves."""

ROWS = ("SELECT o.project_id, f.facet, f.value, xtrace_hour(coalesce(o.start_time, o.created_at)) AS hour, count(*) AS n"
        " FROM observations o, xtrace_facets(o.type, o.level, o.name, o.version, o.environment) f GROUP BY 1, 2, 3, 4")
BOOKS = ("SELECT project_id, facet, value, hour, sum(observations)::bigint AS n FROM"
         " (TABLE facet_counts UNION ALL TABLE facet_changes) b GROUP BY 1, 2, 3, 4 HAVING sum(observations) <> 0")


def assert_facets_balance(database):
    wrong = database.query(f"(({ROWS}) EXCEPT ({BOOKS})) UNION ALL (({BOOKS}) EXCEPT ({ROWS}))")
    assert wrong == [], wrong[:5]
