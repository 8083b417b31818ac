-- Whose a case at the session's desk is: name (sealed), birthday and what opens both, also where the
-- person has moved out of sight since.
CREATE FUNCTION person_of_case(wanted bigint)
RETURNS TABLE (id bigint, name bytea, born_on date, data_key bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
        SELECT p.id, p.name, p.born_on, p.data_key
        FROM application AS a JOIN person AS p ON p.id = a.person_id
        WHERE a.id = wanted AND a.state <> 'draft' AND a.area BETWEEN scope_low() AND scope_high();
END
$$;
