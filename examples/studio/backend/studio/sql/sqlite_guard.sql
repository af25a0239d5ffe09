-- SQLite: what a row-level security policy on $table would do. An update or delete passes over rows of other users
-- in silence, an insert for another user is an error, and no acting user means the owner of the database.
CREATE VIEW IF NOT EXISTS own_$table AS
  SELECT * FROM $table WHERE user_id = (SELECT user_id FROM acting_user);

CREATE TRIGGER IF NOT EXISTS ${table}_owner_insert BEFORE INSERT ON $table
WHEN EXISTS (SELECT 1 FROM acting_user WHERE user_id <> NEW.user_id) BEGIN
  SELECT RAISE(ABORT, 'new row violates row-level security policy for table "$table"');
END;

CREATE TRIGGER IF NOT EXISTS ${table}_owner_update BEFORE UPDATE ON $table
WHEN EXISTS (SELECT 1 FROM acting_user WHERE user_id <> OLD.user_id) BEGIN
  SELECT RAISE(IGNORE);
END;

CREATE TRIGGER IF NOT EXISTS ${table}_owner_change BEFORE UPDATE OF user_id ON $table
WHEN EXISTS (SELECT 1 FROM acting_user WHERE user_id = OLD.user_id AND user_id <> NEW.user_id) BEGIN
  SELECT RAISE(ABORT, 'new row violates row-level security policy for table "$table"');
END;

CREATE TRIGGER IF NOT EXISTS ${table}_owner_delete BEFORE DELETE ON $table
WHEN EXISTS (SELECT 1 FROM acting_user WHERE user_id <> OLD.user_id) BEGIN
  SELECT RAISE(IGNORE);
END;
