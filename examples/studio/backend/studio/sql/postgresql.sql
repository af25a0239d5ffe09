-- PostgreSQL: row-level security and stored functions. Safe to run again.

-- The role that requests act as. It owns nothing, so no policy passes it by. Roles are shared by all databases of
-- a server, hence another start-up may create it at the same moment.
DO $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'studio_member') THEN
    CREATE ROLE studio_member NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
  NULL;
END
$$;

DO $$
BEGIN
  IF NOT pg_has_role(current_user, 'studio_member', 'MEMBER') THEN
    EXECUTE format('GRANT studio_member TO %I', current_user);
  END IF;
END
$$;

-- Who is acting: set for one transaction by the application, and NULL otherwise.
CREATE OR REPLACE FUNCTION studio_user_id() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT nullif(current_setting('studio.user_id', true), '')
$$;

-- Policies, and a view of each table that obeys them whoever looks through it.
DO $$
DECLARE
  guarded text;
BEGIN
  FOREACH guarded IN ARRAY ARRAY['brand_kits', 'jobs', 'assets', 'coach_progress'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format('DROP POLICY IF EXISTS %I ON %I', guarded || '_owner', guarded);
    EXECUTE format(
      'CREATE POLICY %I ON %I USING (user_id = studio_user_id()) WITH CHECK (user_id = studio_user_id())',
      guarded || '_owner', guarded);
    EXECUTE format('CREATE OR REPLACE VIEW %I WITH (security_invoker = true) AS SELECT * FROM %I WHERE user_id = studio_user_id()',
      'own_' || guarded, guarded);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %I TO studio_member', guarded);
    EXECUTE format('GRANT SELECT ON %I TO studio_member', 'own_' || guarded);
  END LOOP;
END
$$;

-- What the acting user has.
CREATE OR REPLACE FUNCTION studio_usage()
RETURNS TABLE (brand_kits bigint, assets bigint, asset_bytes bigint, open_jobs bigint) LANGUAGE sql STABLE AS $$
  SELECT
    (SELECT count(*) FROM own_brand_kits),
    (SELECT count(*) FROM own_assets),
    (SELECT coalesce(sum(bytes), 0)::bigint FROM own_assets),
    (SELECT count(*) FROM own_jobs WHERE state IN ('queued', 'running'))
$$;

-- How many brand kits the acting user may still create. Waits for any other transaction that is asking the same,
-- so that two requests at once cannot both take the last place.
CREATE OR REPLACE FUNCTION brand_kits_left(kit_limit integer) RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('brand_kits'), hashtext(studio_user_id()));
  RETURN greatest(0, kit_limit - (SELECT count(*)::integer FROM own_brand_kits));
END
$$;

-- Take a queued job; exactly one caller gets true.
CREATE OR REPLACE FUNCTION claim_job(wanted text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  UPDATE jobs SET state = 'running' WHERE id = wanted AND state = 'queued';
  RETURN FOUND;
END
$$;

-- A job moves forward only.
CREATE OR REPLACE FUNCTION guard_job_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD.state, NEW.state) NOT IN (('queued', 'running'), ('queued', 'failed'), ('running', 'done'), ('running', 'failed')) THEN
    RAISE EXCEPTION 'a job cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER jobs_state BEFORE UPDATE OF state ON jobs
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION guard_job_state();

CREATE OR REPLACE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := clock_timestamp();
  RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER brand_kits_touch BEFORE UPDATE ON brand_kits
  FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
