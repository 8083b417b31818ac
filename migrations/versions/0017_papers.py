"""材料: papers of cases, the pieces that they come in, and where what was made of them lies."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

HEAD = "SECURITY DEFINER SET search_path = public, pg_temp AS $$"
MOST_PAPERS = 40
"""Of one case, without those that were removed."""
OPEN = "('draft', 'supplement', 'helped')"
"""When the applicant's side may hand papers in; in the last not take any back."""
MAY_HAND_IN = """person_now(a.person_id) = ANY (authority_over('materials')
                || authority_over('apply'))"""
# Of a case for which the session may hand papers in; it does not move before the transaction ends.
CASE_FOR_PAPERS = f"""
    CREATE FUNCTION case_for_papers(wanted bigint)
    RETURNS TABLE (person_id bigint, area bigint, state text, data_key bytea) LANGUAGE plpgsql
    {HEAD}
    BEGIN
        PERFORM FROM application AS a WHERE a.id = wanted FOR SHARE;
        RETURN QUERY
            SELECT a.person_id, a.area, a.state, p.data_key
            FROM application AS a JOIN person AS p ON p.id = a.person_id
            WHERE a.id = wanted AND {MAY_HAND_IN};
    END
    $$
"""
TAKES_PAPER = f"""
    CREATE FUNCTION takes_paper(wanted bigint, whom bigint, place bigint) RETURNS boolean
    LANGUAGE plpgsql {HEAD}
    BEGIN
        RETURN EXISTS (SELECT FROM case_for_papers(wanted) AS c
            WHERE c.person_id = whom AND c.area = place AND c.state IN {OPEN});
    END
    $$
"""
# Who may hand papers in, and no more, sees what they handed in themselves.
HANDED_IN = f"""
    CREATE FUNCTION handed_in_by_session(label text, whom bigint) RETURNS boolean
    LANGUAGE plpgsql STABLE {HEAD}
    BEGIN
        RETURN label = session_label() AND person_now(whom) = ANY (authority_over('materials'));
    END
    $$
"""
# A wrapped key opens nothing by itself; it is told to whoever may see the paper.
KEY_OF_PAPER = f"""
    CREATE FUNCTION key_of_paper(wanted bigint) RETURNS bytea LANGUAGE plpgsql STABLE {HEAD}
    BEGIN
        RETURN (SELECT p.data_key FROM paper AS o JOIN person AS p ON p.id = o.person_id
            WHERE o.id = wanted AND (o.area BETWEEN scope_low() AND scope_high()
                OR person_now(o.person_id) = ANY (authority_over('see') || authority_over('apply')
                    || authority_over('materials'))));
    END
    $$
"""
# Who hands it in is written by the database for the site's sessions. One at a time counts.
BEGUN = f"""
    CREATE FUNCTION paper_begun() RETURNS trigger LANGUAGE plpgsql {HEAD}
    BEGIN
        NEW."by" := coalesce(session_label(), NEW."by");
        NEW.begun_at := clock_timestamp();
        IF NEW.state <> 'taking' OR NEW.finished_at IS NOT NULL OR NEW.ended_at IS NOT NULL THEN
            RAISE EXCEPTION 'a paper begins by being taken' USING ERRCODE = 'check_violation';
        END IF;
        PERFORM pg_advisory_xact_lock(hashtextextended('paper', NEW.application_id));
        IF (SELECT count(*) FROM paper AS o WHERE o.application_id = NEW.application_id
                AND o.state <> 'removed') >= {MOST_PAPERS} THEN
            RAISE EXCEPTION 'too many papers'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'paper_count';
        END IF;
        RETURN NEW;
    END
    $$
"""
MOVED = f"""
    CREATE FUNCTION paper_moved() RETURNS trigger LANGUAGE plpgsql {HEAD}
    DECLARE
        of_site boolean := session_label() IS NOT NULL;
    BEGIN
        IF (NEW.id, NEW.application_id, NEW.person_id, NEW.area, NEW.kind, NEW.client_key, NEW.size,
                NEW.sha256, NEW.pieces, NEW."by", NEW.begun_at)
            IS DISTINCT FROM
            (OLD.id, OLD.application_id, OLD.person_id, OLD.area, OLD.kind, OLD.client_key,
                OLD.size, OLD.sha256, OLD.pieces, OLD."by", OLD.begun_at)
        THEN
            RAISE EXCEPTION 'what a paper is stays' USING ERRCODE = 'check_violation';
        END IF;
        IF NOT (CASE NEW.state
            WHEN 'checking' THEN OLD.state = 'taking' AND NEW.pieces =
                (SELECT count(*) FROM paper_piece AS one WHERE one.paper_id = NEW.id)
            WHEN 'kept' THEN OLD.state = 'checking' AND NOT of_site
                AND EXISTS (SELECT FROM paper_content AS one WHERE one.paper_id = NEW.id)
            WHEN 'refused' THEN OLD.state = 'checking' AND NOT of_site
            WHEN 'removed' THEN OLD.state <> 'removed'
            ELSE false
        END) THEN
            RAISE EXCEPTION 'a paper does not move so' USING ERRCODE = 'check_violation';
        END IF;
        IF of_site AND NEW.state = 'removed' AND NOT EXISTS (SELECT FROM application AS a
                WHERE a.id = NEW.application_id AND a.state IN ('draft', 'supplement')) THEN
            RAISE EXCEPTION 'what was submitted stays' USING ERRCODE = 'check_violation';
        END IF;
        IF NEW.state = 'checking' THEN
            NEW.finished_at := clock_timestamp();
        ELSE
            NEW.ended_at := clock_timestamp();
        END IF;
        RETURN NEW;
    END
    $$
"""
CONTENT_STAYS = f"""
    CREATE FUNCTION paper_content_stays() RETURNS trigger LANGUAGE plpgsql {HEAD}
    BEGIN
        IF TG_OP = 'DELETE' AND EXISTS (SELECT FROM paper AS o
                WHERE o.id = OLD.paper_id AND o.state = 'removed') THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'what was kept stays' USING ERRCODE = 'check_violation';
    END
    $$
"""
FUNCTIONS = {
    "case_for_papers(bigint)": CASE_FOR_PAPERS,
    "takes_paper(bigint, bigint, bigint)": TAKES_PAPER,
    "handed_in_by_session(text, bigint)": HANDED_IN,
    "key_of_paper(bigint)": KEY_OF_PAPER,
    "paper_begun()": BEGUN,
    "paper_moved()": MOVED,
    "paper_content_stays()": CONTENT_STAYS,
}
OF_SITE = tuple(FUNCTIONS)[:4]
TRIGGERS = (
    ("paper_begun", "BEFORE INSERT", "paper", "ROW", "paper_begun"),
    ("paper_moved", "BEFORE UPDATE", "paper", "ROW", "paper_moved"),
    ("paper_kept", "BEFORE DELETE OR TRUNCATE", "paper", "STATEMENT", "forbid_change"),
    ("paper_piece_kept", "BEFORE UPDATE", "paper_piece", "STATEMENT", "forbid_change"),
    ("paper_content_stays", "BEFORE UPDATE OR DELETE", "paper_content", "ROW",
     "paper_content_stays"),
    ("paper_content_kept", "BEFORE TRUNCATE", "paper_content", "STATEMENT", "forbid_change"),
)  # fmt: skip
SEEN = (
    "EXISTS (SELECT FROM application AS a WHERE a.id = paper.application_id)"
    " OR handed_in_by_session(by, person_id)"
)
OF_PAPER = "EXISTS (SELECT FROM paper AS o WHERE o.id = {}.paper_id)"
TAKES = "takes_paper(application_id, person_id, area)"
TAKING = (
    "EXISTS (SELECT FROM paper AS o WHERE o.id = paper_piece.paper_id AND o.state = 'taking'"
    " AND takes_paper(o.application_id, o.person_id, o.area))"
)
POLICIES = (
    ("seen ON paper FOR SELECT", f"USING ({SEEN})"),
    ("begun ON paper FOR INSERT", f"WITH CHECK ({TAKES})"),
    ("moved ON paper FOR UPDATE", f"USING ({TAKES})"),
    ("seen ON paper_piece FOR SELECT", f"USING ({OF_PAPER.format('paper_piece')})"),
    ("taken ON paper_piece FOR INSERT", f"WITH CHECK ({TAKING})"),
    ("seen ON paper_content FOR SELECT", f"USING ({OF_PAPER.format('paper_content')})"),
)
GRANTS = (
    "SELECT, INSERT, UPDATE (state) ON paper",
    "SELECT, INSERT ON paper_piece",
    "SELECT ON paper_content",
)
TABLES = ("paper", "paper_piece", "paper_content")


def upgrade() -> None:
    _create_paper()
    _create_bytes()
    _create_functions()
    for name, when, table, each, function in TRIGGERS:
        op.execute(
            f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()"
        )
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for name, statement in POLICIES:
        op.execute(f"CREATE POLICY {name} TO shukun_app {statement}")
    for grant in GRANTS:
        op.execute(f"GRANT {grant} TO shukun_app")


def _create_functions() -> None:
    # Owned by the role that sees every row; to own them it must be allowed to create, just now.
    op.execute("GRANT CREATE ON SCHEMA public TO shukun_worker")
    for signature, body in FUNCTIONS.items():
        op.execute(body)
        op.execute(f"REVOKE EXECUTE ON FUNCTION {signature} FROM PUBLIC")
        op.execute(f"ALTER FUNCTION {signature} OWNER TO shukun_worker")
    op.execute("REVOKE CREATE ON SCHEMA public FROM shukun_worker")
    for signature in OF_SITE:
        op.execute(f"GRANT EXECUTE ON FUNCTION {signature} TO shukun_app")


def _text(name: str, default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _id(name: str) -> sa.Column:
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def _moment(name: str, *, now: bool = False) -> sa.Column:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def _create_paper() -> None:
    op.create_table(
        "paper",
        _id("id"), _id("application_id"), _id("person_id"), _id("area"),
        _text("kind"), _text("client_key"),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("pieces", sa.SmallInteger(), nullable=False),
        _text("state", "taking"), _text("media", ""),
        sa.Column("pages", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        _text("refused_why", ""), _text("by", ""),
        _moment("begun_at", now=True), _moment("finished_at"), _moment("ended_at"),
        sa.PrimaryKeyConstraint("id", name="pk_paper"),
        _refers("paper", "application_id", "application"),
        _refers("paper", "person_id", "person"),
        sa.UniqueConstraint(
            "application_id", "client_key", name="uq_paper_application_id_client_key"
        ),
        sa.CheckConstraint(
            "state IN ('taking', 'checking', 'kept', 'refused', 'removed')",
            name="ck_paper_state_known",
        ),
        sa.CheckConstraint(
            "size > 0 AND pieces > 0 AND octet_length(sha256) = 32", name="ck_paper_declared"
        ),
        sa.CheckConstraint(
            "state <> 'refused' OR refused_why <> ''", name="ck_paper_refused_with_reason"
        ),
        sa.CheckConstraint(
            "state <> 'kept' OR pages > 0 AND media <> ''", name="ck_paper_kept_with_pages"
        ),
    )  # fmt: skip
    for column in ("application_id", "person_id"):
        op.create_index(f"ix_paper_{column}", "paper", [column])
    op.create_index(
        "ix_paper_begun_at_open", "paper", ["begun_at"],
        postgresql_where=sa.text("state IN ('taking', 'checking')"),
    )  # fmt: skip


def _create_bytes() -> None:
    op.create_table(
        "paper_piece",
        _id("paper_id"),
        sa.Column("number", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bytes", sa.LargeBinary(), nullable=False),
        _moment("at", now=True),
        sa.PrimaryKeyConstraint("paper_id", "number", name="pk_paper_piece"),
        _refers("paper_piece", "paper_id", "paper"),
        sa.CheckConstraint("number > 0", name="ck_paper_piece_numbered"),
    )
    # Ciphertext is not compressed, and read whole.
    op.execute("ALTER TABLE paper_piece ALTER COLUMN bytes SET STORAGE EXTERNAL")
    op.create_table(
        "paper_content",
        _id("paper_id"), _text("name"),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        _moment("at", now=True),
        sa.PrimaryKeyConstraint("paper_id", name="pk_paper_content"),
        _refers("paper_content", "paper_id", "paper"),
        sa.UniqueConstraint("name", name="uq_paper_content_name"),
        sa.CheckConstraint(
            "size > 0 AND octet_length(sha256) = 32", name="ck_paper_content_measured"
        ),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("paper_content")
    op.drop_table("paper_piece")
    op.drop_table("paper")
    for signature in reversed(FUNCTIONS):
        op.execute(f"DROP FUNCTION {signature}")
