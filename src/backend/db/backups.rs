//! Dumps of the database. `config/backup/backup` makes them, and names the newest in the database's comment.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;

use crate::db::fetch::Fetch;
use crate::error::Result;

/// When the newest dump was begun, where there ever was one.
pub async fn newest(client: &impl GenericClient) -> Result<Option<Timestamp>> {
    let sql = "select substring(shobj_description(oid, 'pg_database') \
               from '^newest dump: shopmicro-([0-9]{8}T[0-9]{6}Z)[.]dump$')::timestamptz as at \
               from pg_database where datname = current_database()";
    Ok(client.fetch_one(sql, &[]).await?.try_get("at")?)
}
