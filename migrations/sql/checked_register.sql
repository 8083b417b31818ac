-- Cases at the session's desk, whose they are now, and what opens their answers: also where the
-- person has moved out of sight since.
CREATE FUNCTION checked_cases(wanted bigint[])
RETURNS TABLE (case_id bigint, person_id bigint, data_key bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    low bigint := scope_low();
    high bigint := scope_high();
BEGIN
    RETURN QUERY
        SELECT a.id, person_now(a.person_id), p.data_key
        FROM application AS a JOIN person AS p ON p.id = a.person_id
        WHERE a.id = ANY (wanted) AND a.state <> 'draft' AND a.area BETWEEN low AND high;
END
$$;

-- Their identities, wherever they were recognised.
CREATE FUNCTION checked_identities(wanted bigint[])
RETURNS TABLE (case_id bigint, category smallint, from_on date, to_on date, applied_on date)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT c.case_id, i.category, i.from_on, nullif(i.to_on, 'infinity'),
            nullif(i.applied_on, '-infinity')
        FROM checked_cases(wanted) AS c JOIN identity AS i ON i.person_id = c.person_id
        ORDER BY c.case_id, i.from_on, i.id;
END
$$;

-- Bills that a case names, of its own person alone: each with its case and the layer that is asked
-- for. `given`: what the layer paid, fen; `elsewhere`: how many other cases claim the bill, wherever
-- they are.
CREATE FUNCTION checked_bills(cases bigint[], named bigint[], layers text[])
RETURNS TABLE (case_id bigint, bill_id bigint, setting smallint, admitted_on date,
    discharged_on date, flags smallint, given bigint, elsewhere bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT c.case_id, b.id, b.setting, b.admitted_on, b.discharged_on, b.flags,
            nullif((to_jsonb(b) ->> ('paid_' || n.layer))::bigint, -1),
            (SELECT count(DISTINCT o.application_id) FROM bill_claim AS o
                WHERE o.bill_id = b.id AND o.state IN ('claimed', 'granted')
                    AND o.application_id <> c.case_id)
        FROM unnest(cases, named, layers) AS n (in_case, bill, layer)
        JOIN checked_cases(cases) AS c ON c.case_id = n.in_case
        JOIN bill AS b ON b.id = n.bill AND person_now(b.person_id) = c.person_id;
END
$$;
