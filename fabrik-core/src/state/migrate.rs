//! The form of the database, step by step from nothing to [`FORMAT`].

use rusqlite::{Connection, TransactionBehavior};

use super::FORMAT;

/// Marks a SQLite file as ours: "FABR".
pub(super) const APPLICATION: i32 = 0x4641_4252;

/// Step `n` leads from format `n` to `n + 1`. Steps that were released are never changed.
const STEPS: [&str; FORMAT as usize] = [include_str!("sqlite/format-1.sql")];

/// Brings the database to [`FORMAT`], each step in its own transaction.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    run(connection, &STEPS)
}

fn run(connection: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    loop {
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let format = format_of(&step)?;
        let Some(sql) = usize::try_from(format).ok().and_then(|at| steps.get(at)) else {
            return Ok(());
        };
        step.execute_batch(sql)?;
        step.pragma_update(None, "application_id", APPLICATION)?;
        step.pragma_update(None, "user_version", format + 1)?;
        step.commit()?;
    }
}

/// The format of the database.
pub(super) fn format_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Whose database it is.
pub(super) fn application_of(connection: &Connection) -> rusqlite::Result<i32> {
    connection.pragma_query_value(None, "application_id", |row| row.get(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_run_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        let steps = [
            "CREATE TABLE a (x INTEGER)",
            "INSERT INTO a VALUES (1)",
            "UPDATE a SET x = x * 10 + 2",
        ];
        run(&mut connection, &steps[..2]).unwrap();
        run(&mut connection, &steps).unwrap();
        run(&mut connection, &steps).unwrap();
        let x: i64 = connection
            .query_row("SELECT x FROM a", [], |row| row.get(0))
            .unwrap();
        assert_eq!((x, format_of(&connection).unwrap()), (12, 3));
    }

    #[test]
    fn a_failing_step_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        let steps = ["CREATE TABLE a (x INTEGER)", "CREATE TABLE b (x); BOOM"];
        assert!(run(&mut connection, &steps).is_err());
        assert_eq!(format_of(&connection).unwrap(), 1);
        assert!(connection.execute_batch("SELECT * FROM b").is_err());
    }
}
