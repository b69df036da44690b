//! Streams for the recommendation service: the catalogue, and what customers did.

use deadpool_postgres::GenericClient;
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, RowStream};
use uuid::Uuid;

use crate::db::fetch::Fetch;
use crate::error::{Error, Result};

/// The most interactions of one answer.
pub const PAGE: i64 = 50_000;

/// Products that are read at once: a few megabytes at most.
const PRODUCTS: i64 = 1_000;

/// A product as the recommender sees it.
#[derive(Clone, Debug, Serialize)]
pub struct CatalogueLine {
    /// Where the next page begins.
    pub id: Uuid,
    name: String,
    description: String,
    category: String,
    tags: Vec<String>,
}

impl TryFrom<Row> for CatalogueLine {
    type Error = tokio_postgres::Error;

    fn try_from(row: Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            name: row.try_get("name")?,
            description: row.try_get("description")?,
            category: row.try_get("category")?,
            tags: row.try_get("tags")?,
        })
    }
}

/// Something that a customer did.
#[derive(Clone, Debug, Serialize)]
pub struct InteractionLine {
    cursor: String,
    user_id: Uuid,
    product_id: Uuid,
    kind: String,
    quantity: i32,
    at: Timestamp,
}

impl TryFrom<Row> for InteractionLine {
    type Error = tokio_postgres::Error;

    fn try_from(row: Row) -> Result<Self, tokio_postgres::Error> {
        Ok(Self {
            cursor: row.try_get("cursor")?,
            user_id: row.try_get("user_id")?,
            product_id: row.try_get("product_id")?,
            kind: row.try_get("kind")?,
            quantity: row.try_get("quantity")?,
            at: row.try_get("at")?,
        })
    }
}

/// A place in the stream of interactions: transaction and number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    xid: i64,
    id: i64,
}

impl Position {
    /// Reads `<transaction>-<number>`; 400 where it is none of ours.
    pub fn parse(cursor: &str) -> Result<Self> {
        let parsed = cursor.split_once('-').and_then(|(xid, id)| Some((xid.parse().ok()?, id.parse().ok()?)));
        let (xid, id) = parsed
            .ok_or_else(|| Error::BadRequest("query parameter after: not a cursor of this list".into()))?;
        Ok(Self { xid, id })
    }
}

/// Products that are for sale, by their ids and after one of them: each page is a short statement, so that neither the
/// size of the catalogue nor the patience of who reads it ends in a timeout.
pub async fn catalogue(client: &impl GenericClient, after: Uuid) -> Result<Vec<CatalogueLine>> {
    let sql = "select id, name, description, category, tags from products \
               where archived_at is null and id > $1 order by id limit $2";
    let rows = client.fetch_all(sql, &[&after, &PRODUCTS]).await?;
    Ok(rows.into_iter().map(CatalogueLine::try_from).collect::<Result<_, _>>()?)
}

/// The transaction before which all are over, and on the disk: what a crash of the database took would come again under the
/// same numbers, which the reader has passed. 400 where the reader's position is in the future: then it is of another
/// database, or of this one before it was taken back.
///
/// Of what is seen some may not be on the disk yet, since carts do not wait for it. The message, which nobody reads, makes
/// the commit of this statement wait, and with it all that came before.
pub async fn horizon(client: &impl GenericClient, after: Position) -> Result<i64> {
    let sql = "select pg_snapshot_xmin(seen)::text::bigint as horizon, \
               $1::bigint::text::xid8 >= pg_snapshot_xmax(seen) as ahead \
               from pg_current_snapshot() seen, pg_logical_emit_message(true, 'interactions', '')";
    let row = client.fetch_one(sql, &[&after.xid]).await?;
    if row.try_get("ahead")? {
        return Err(Error::BadRequest("query parameter after: not a cursor of this database".into()));
    }
    Ok(row.try_get("horizon")?)
}

/// The interactions after a position and before a [`horizon`], oldest transaction first. Rows of transactions that still
/// run, or began after one that does, wait for a later answer: none can then turn up before a cursor that was already given
/// out.
pub async fn interactions(client: &impl GenericClient, after: Position, horizon: i64) -> Result<RowStream> {
    let sql = "select xid::text || '-' || id as cursor, user_id, product_id, kind, quantity, at from interactions \
               where (xid, id) > ($1::bigint::text::xid8, $2) and xid < $3::bigint::text::xid8 \
               order by xid, id limit $4";
    let parameters: [&(dyn ToSql + Sync); 4] = [&after.xid, &after.id, &horizon, &PAGE];
    Ok(client.query_raw(&client.prepare_cached(sql).await?, parameters).await?)
}

/// Gives the interactions of transactions that are yet to come the present one, and returns how many there were. They are
/// from a dump of another PostgreSQL, whose transactions have other numbers, and would be held back until those are
/// reached. The primary key begins with the transaction: where there are none, nothing is read.
pub async fn take_in(client: &tokio_postgres::Client) -> Result<u64, tokio_postgres::Error> {
    let sql = "update interactions set xid = pg_current_xact_id() \
               where xid >= pg_snapshot_xmax(pg_current_snapshot())";
    client.execute(sql, &[]).await
}
