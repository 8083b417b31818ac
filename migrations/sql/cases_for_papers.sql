-- Cases for which papers may be handed in by whoever was asked to do that and no more, while papers
-- are taken: what they are, and nothing that was answered, decided or handed in. Those whom the
-- session may see or apply for find theirs by the row policies.
CREATE FUNCTION cases_for_papers()
RETURNS TABLE (id bigint, person_id bigint, kind text, policy text, state text,
    begun_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    whole bigint[] := authority_over('see') || authority_over('apply');
    asked bigint[] := same_people(ARRAY(
        SELECT p.id FROM unnest(authority_over('materials')) AS p (id) WHERE p.id <> ALL (whole)));
BEGIN
    RETURN QUERY
        SELECT a.id, a.person_id, a.kind, a.policy, a.state, a.begun_at FROM application AS a
        WHERE a.person_id = ANY (asked) AND a.state IN ('draft', 'supplement', 'helped')
        ORDER BY a.id DESC LIMIT 100;
END
$$;
