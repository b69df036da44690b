//! Merges a staged catalogue into the shop.

use tokio_postgres::Transaction;

use crate::domain::CURRENCY;
use crate::import::ImportError;
use crate::import::report::ImportReport;

/// Fills the staging table.
pub(super) const COPY: &str = "copy import_catalogue (sku, name, description, category, tags, price_cents, stock, image_url) from stdin";

/// Changes products that differ and adds those that are new, so that a second time finds nothing to do.
pub(super) async fn merge(
    transaction: &Transaction<'_>,
    with_pictures: bool,
    report: &mut ImportReport,
) -> Result<(), ImportError> {
    transaction.batch_execute("analyze import_catalogue").await?;
    let known = transaction.execute(include_str!("catalogue_lock.sql"), &[]).await?;
    let update = include_str!("catalogue_update.sql");
    report.products.changed = transaction.execute(update, &[&with_pictures, &CURRENCY]).await?;
    report.products.unchanged = known - report.products.changed;
    report.products.new = transaction.execute(include_str!("catalogue_insert.sql"), &[&CURRENCY]).await?;
    transaction.execute(include_str!("catalogue_movements.sql"), &[]).await?;
    Ok(())
}
