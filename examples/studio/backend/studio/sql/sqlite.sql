-- SQLite: views and triggers that stand in for policies and stored functions. Safe to run again.

-- Who is acting. The application adds its row and removes it within one transaction, which nobody else can see.
CREATE TABLE IF NOT EXISTS acting_user (user_id TEXT NOT NULL);

-- What the acting user has.
CREATE VIEW IF NOT EXISTS studio_usage AS SELECT
  (SELECT count(*) FROM own_brand_kits) AS brand_kits,
  (SELECT count(*) FROM own_assets) AS assets,
  (SELECT coalesce(sum(bytes), 0) FROM own_assets) AS asset_bytes,
  (SELECT count(*) FROM own_jobs WHERE state IN ('queued', 'running')) AS open_jobs;

-- How many brand kits the acting user has. Transactions begin with the write lock, so the number holds until the end.
CREATE VIEW IF NOT EXISTS brand_kits_taken AS SELECT count(*) AS taken FROM own_brand_kits;

-- Take a queued job, called as INSERT INTO claim_job (job_id) VALUES (…).
CREATE VIEW IF NOT EXISTS claim_job AS SELECT id AS job_id FROM own_jobs WHERE state = 'queued';
CREATE TRIGGER IF NOT EXISTS claim_job_call INSTEAD OF INSERT ON claim_job BEGIN
  UPDATE jobs SET state = 'running' WHERE id = NEW.job_id AND state = 'queued';
END;

-- A job moves forward only.
CREATE TRIGGER IF NOT EXISTS jobs_state BEFORE UPDATE OF state ON jobs
WHEN OLD.state <> NEW.state
  AND OLD.state || '>' || NEW.state NOT IN ('queued>running', 'queued>failed', 'running>done', 'running>failed')
BEGIN
  SELECT RAISE(ABORT, 'a job cannot go backwards, nor skip a state');
END;

CREATE TRIGGER IF NOT EXISTS brand_kits_touch AFTER UPDATE ON brand_kits
WHEN NEW.updated_at = OLD.updated_at BEGIN
  UPDATE brand_kits SET updated_at = strftime('%Y-%m-%d %H:%M:%f000', 'now') WHERE id = NEW.id;
END;
