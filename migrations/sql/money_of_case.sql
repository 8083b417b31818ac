-- What runs that were released granted through a case, and what of it the bank paid to the person or
-- was given back since, to whoever sees the case. Of a bill that the case claims: everything on its
-- layer while that claim counts; else what the runs brought that were asked for by the case. What a
-- hospital got in the person's place stands with its advance. No row: nothing was granted so.
CREATE FUNCTION money_of_case(wanted bigint)
RETURNS TABLE (granted bigint, decided_on date, paid bigint, paid_on date, paid_ref text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        WITH entry AS (
            SELECT g.bill_id, g.layer, g.seq, g.amount, r.released_at
            FROM application AS a
                JOIN grant_entry AS g ON g.person_id = ANY (same_people(ARRAY[a.person_id]))
                JOIN match_run AS r ON r.id = g.run_id AND r.state = 'released'
            WHERE a.id = wanted
                AND (a.person_id = ANY (
                        same_people(authority_over('see') || authority_over('apply')))
                    OR a.state <> 'draft' AND a.area BETWEEN scope_low() AND scope_high())
                AND CASE WHEN EXISTS (SELECT FROM bill_claim AS c WHERE c.application_id = a.id)
                    THEN a.id = (SELECT c.application_id FROM bill_claim AS c
                        WHERE (c.bill_id, c.layer) = (g.bill_id, g.layer)
                            AND c.granted_version BETWEEN 1 AND g.data_version
                        ORDER BY c.granted_version DESC LIMIT 1)
                    ELSE g.run_id IN (SELECT m.run_id FROM application_match AS m
                        WHERE m.application_id = a.id) END
        ), own AS (
            SELECT i.id, i.changed_at,
                CASE WHEN i.amount > 0 THEN least(i.amount, sum(e.amount))
                    ELSE greatest(i.amount, sum(e.amount)) END::bigint AS fen
            FROM entry AS e JOIN payment_entry AS p USING (bill_id, layer, seq)
                JOIN payment_item AS i ON i.id = p.item_id
            WHERE i.state IN ('paid', 'refunded') AND i.hospital_id IS NULL GROUP BY i.id
        )
        SELECT greatest(sum(e.amount), 0)::bigint,
            (max(e.released_at) AT TIME ZONE 'Asia/Shanghai')::date,
            (SELECT greatest(sum(own.fen), 0)::bigint FROM own HAVING count(*) > 0),
            (SELECT (max(own.changed_at) AT TIME ZONE 'Asia/Shanghai')::date FROM own),
            coalesce((SELECT lpad(b.area::text, 6, '0') || '-' || lpad(b.number::text, 6, '0')
                FROM own JOIN payment_order AS o ON o.item_id = own.id AND o.state = 'paid'
                    JOIN payment_batch AS b ON b.id = o.batch_id ORDER BY b.id DESC LIMIT 1), '')
        FROM entry AS e HAVING count(*) > 0;
END
$$;
