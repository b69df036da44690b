//! What customers looked at, among the interactions that the recommender reads.

use std::time::Duration;

use deadpool_postgres::GenericClient;
use uuid::Uuid;

use crate::db::fetch::Fetch;
use crate::error::Result;
use crate::views::View;

/// For how long another look at a product is still the same one.
const SAME: Duration = Duration::from_mins(30);

/// Notes views, without those whose customer or product is no longer there, and without another look that is the same
/// one as before.
pub async fn insert(client: &impl GenericClient, views: &[View]) -> Result<()> {
    // The locks are those that the foreign keys take in any case. Taken here, they wait for an account that is being
    // deleted, which would else make the whole statement fail.
    let sql = "insert into interactions (user_id, product_id, kind, quantity) \
               select v.user_id, v.product_id, 'view', 1 \
               from unnest($1::uuid[], $2::uuid[]) v (user_id, product_id) \
               join users u on u.id = v.user_id \
               join products p on p.id = v.product_id and p.archived_at is null \
               where not exists (select from interactions i where i.user_id = v.user_id \
                                 and i.product_id = v.product_id and i.kind = 'view' \
                                 and i.at > now() - make_interval(secs => $3)) \
               order by v.user_id, v.product_id \
               for key share of u, p";
    let (users, products): (Vec<Uuid>, Vec<Uuid>) =
        views.iter().map(|view| (view.user_id, view.product_id)).unzip();
    client.run(sql, &[&users, &products, &SAME.as_secs_f64()]).await?;
    Ok(())
}

/// Forgets views that are older than this, a bounded number at a time; returns how many went.
pub async fn delete_old(client: &impl GenericClient, age: Duration) -> Result<u64> {
    // Rows that the deletion of an account has locked are passed over: it may in turn wait for those that are locked here.
    let sql = "delete from interactions where (xid, id) in \
               (select xid, id from interactions where kind = 'view' and at < now() - make_interval(secs => $1) \
                order by at limit 1000 for update skip locked)";
    Ok(client.run(sql, &[&age.as_secs_f64()]).await?)
}
