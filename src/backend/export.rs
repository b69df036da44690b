//! The exporter: the catalogue or the orders as CSV, in the formats that the importer reads.

use std::pin::pin;

use futures_util::StreamExt;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio_postgres::Client;

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum What {
    /// Every product that is for sale, one a line.
    Catalogue,
    /// Every item of every order that was paid, one a line; customers are numbers, without names or addresses.
    Orders,
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database is away, or refuses.
    #[error("the database did not give the export")]
    Database(#[from] tokio_postgres::Error),
    /// The file or the pipe does not take it.
    #[error("the export cannot be written")]
    Write(#[from] std::io::Error),
}

/// Writes a header and a line for each row, as the database sends them: memory does not grow with the shop. All of it is
/// of one moment.
pub async fn export(client: &Client, what: What, output: impl AsyncWrite + Unpin) -> Result<(), ExportError> {
    let sql = match what {
        What::Catalogue => include_str!("export/catalogue.sql"),
        What::Orders => include_str!("export/orders.sql"),
    };
    // A COPY is a single statement, and so sees one state of the shop; it takes what it takes.
    client.batch_execute("set statement_timeout = '1h'").await?;
    let copy = format!("copy ({sql}) to stdout with (format csv, header)");
    let mut rows = pin!(client.copy_out(&copy).await?);
    let mut output = tokio::io::BufWriter::new(output);
    while let Some(chunk) = rows.next().await {
        output.write_all(&chunk?).await?;
    }
    output.flush().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::domain::product::MAX_STOCK;

    #[test]
    fn an_exported_stock_is_one_that_an_import_takes() {
        assert!(include_str!("export/catalogue.sql").contains(&format!("least(stock, {MAX_STOCK})")));
    }
}
