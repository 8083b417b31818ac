-- What the register knows for cases at the session's desk: counts and sums, nobody's name. People of
-- the household may live where the session sees nothing; how many they are and what they paid is
-- told for the case alone. A burden is what is left of a bill after all that was paid on it.
CREATE FUNCTION checked_facts(wanted bigint[], day date)
RETURNS TABLE (case_id bigint, person_id bigint, known boolean, died_on date, left_on date,
    area bigint, insurance smallint, people bigint, income bigint, income_year smallint,
    bills bigint, burden bigint, home_burden bigint, granted bigint, going bigint,
    home_going bigint, related boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    first date := date_trunc('year', day)::date;
BEGIN
    RETURN QUERY
        SELECT a.id, p.id, p.known, nullif(p.died_on, 'infinity'), nullif(p.left_on, 'infinity'), p.area, p.insurance,
            home.people, earned.disposable_income, earned.year,
            own.bills, own.burden, home.burden, ledger.granted, others.going, home.going,
            concerned_in(a.id, scope_staff())
        FROM application AS a JOIN person AS p ON p.id = person_now(a.person_id)
        CROSS JOIN LATERAL (
            SELECT count(*) AS bills, coalesce(sum(left_of_bill(b)), 0)::bigint AS burden
            FROM bill AS b WHERE b.person_id = p.id AND b.total > 0
                AND b.discharged_on > day - interval '12 months' AND b.discharged_on <= day
        ) AS own
        CROSS JOIN LATERAL (
            SELECT nullif(count(*), 0) AS people,
                coalesce(sum((SELECT sum(left_of_bill(b)) FROM bill AS b
                    WHERE b.person_id = m.id AND b.total > 0
                        AND b.discharged_on BETWEEN first AND day)), 0)::bigint AS burden,
                coalesce(sum((SELECT count(*) FROM application AS o
                    WHERE m.id <> p.id AND o.person_id = m.id AND o.state NOT IN
                        ('draft', 'closed', 'withdrawn', 'revoked', 'refused'))), 0)::bigint AS going
            FROM person AS m
            WHERE m.household_id = p.household_id AND p.household_id <> 0 AND m.known
                AND m.died_on > day AND m.left_on > day
        ) AS home
        LEFT JOIN LATERAL (
            SELECT i.disposable_income, i.year FROM household_income AS i
            WHERE i.household_id = p.household_id AND p.household_id <> 0
                AND i.year <= extract(year FROM day) ORDER BY i.year DESC LIMIT 1
        ) AS earned ON true
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(g.amount), 0)::bigint AS granted
            FROM grant_entry AS g JOIN match_run AS r ON r.id = g.run_id AND r.state = 'released'
            WHERE g.person_id = p.id AND g.year = extract(year FROM day)
        ) AS ledger
        CROSS JOIN LATERAL (
            SELECT count(*) AS going FROM application AS o
            WHERE o.person_id = ANY (same_people(ARRAY[p.id])) AND o.id <> a.id AND o.state NOT IN
                ('draft', 'closed', 'withdrawn', 'revoked', 'refused')
        ) AS others
        WHERE a.id = ANY (wanted) AND a.state <> 'draft'
            AND a.area >= scope_low() AND a.area <= scope_high();
END
$$;

CREATE FUNCTION left_of_bill(one bill) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT greatest(one.total - one.paid_out_of_scope - greatest(one.paid_basic, 0)
        - greatest(one.paid_serious_illness, 0) - greatest(one.paid_medical_assistance, 0)
        - greatest(one.paid_rare_drug_assistance, 0) - greatest(one.paid_tilt_assistance, 0)
        - greatest(one.paid_commercial, 0) - greatest(one.paid_mutual_aid, 0)
        - greatest(one.paid_charity, 0) - greatest(one.paid_special_assistance, 0)
        - greatest(one.paid_high_cost_relief, 0), 0)
$$;
