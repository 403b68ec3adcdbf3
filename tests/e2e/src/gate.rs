//! A gate in the database: statements that write a certain row wait before it, so that a test can look at that very
//! moment, or kill a process within it.

use anyhow::Result;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::shop::Shop;

/// The advisory lock that is the gate.
const LOCK: i64 = 0x6761_7465;

/// A gate, closed until it is opened or dropped. One at a time in a database.
#[derive(Debug)]
pub struct Gate {
    table: &'static str,
    connection: PgConnection,
}

impl Gate {
    /// Closes a gate before rows of `table` where `when` holds, an expression over `NEW`.
    ///
    /// # Errors
    /// What the database said.
    pub async fn before(shop: &Shop, table: &'static str, when: &'static str) -> Result<Self> {
        let mut connection = PgConnection::connect(&shop.database.url()).await?;
        let gate = format!(
            "SELECT pg_advisory_lock({LOCK});
             CREATE OR REPLACE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS
               'BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NEW; END';
             CREATE TRIGGER gate BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW WHEN ({when})
               EXECUTE FUNCTION gate()"
        );
        sqlx::raw_sql(AssertSqlSafe(gate)).execute(&mut connection).await?;
        Ok(Self { table, connection })
    }

    /// Whether a statement stands before it.
    ///
    /// # Errors
    /// What the database said.
    pub async fn holds(&mut self) -> Result<bool> {
        let waiting = "SELECT count(*) > 0 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
                        WHERE l.locktype = 'advisory' AND NOT l.granted AND d.datname = current_database()";
        Ok(sqlx::query_scalar(waiting).fetch_one(&mut self.connection).await?)
    }

    /// Lets everything through from now on.
    ///
    /// # Errors
    /// What the database said.
    pub async fn open(mut self) -> Result<()> {
        let open = format!("SELECT pg_advisory_unlock({LOCK}); DROP TRIGGER gate ON {}", self.table);
        sqlx::raw_sql(AssertSqlSafe(open)).execute(&mut self.connection).await?;
        Ok(())
    }
}
