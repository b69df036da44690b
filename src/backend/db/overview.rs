//! Sums over orders, as admins see them.

use deadpool_postgres::GenericClient;
use serde::Serialize;
use utoipa::ToSchema;

use crate::db::fetch::Fetch;
use crate::error::Result;

/// What was sold on a day: orders that are paid and were not called off.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Day {
    /// The day in UTC.
    #[schema(format = Date)]
    pub day: String,
    /// Orders.
    pub orders: i64,
    /// What they brought, in minor units.
    pub revenue_cents: i64,
}

/// The last thirty days, today the last.
pub async fn days(client: &impl GenericClient) -> Result<Vec<Day>> {
    let sql = include_str!("overview/days.sql");
    let rows = client.fetch_all(sql, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Day {
                day: row.try_get("day")?,
                orders: row.try_get("orders")?,
                revenue_cents: row.try_get("revenue_cents")?,
            })
        })
        .collect()
}

/// How many orders are paid and wait to be shipped.
pub async fn to_ship(client: &impl GenericClient) -> Result<i64> {
    let row = client.fetch_one("select count(*) from orders where status = 'paid'", &[]).await?;
    Ok(row.try_get(0)?)
}
