//! The importer: a catalogue or past orders from a CSV file, gzipped or not.
//!
//! A thread reads, cleans and refuses lines ([`reader`]); what it keeps streams through a bounded channel and COPY into
//! temporary tables, which statements on whole sets then merge into the shop's. All of it is one transaction under an
//! advisory lock: a file is imported or nothing is, and a second time it changes nothing. Memory holds a few chunks of
//! lines, however long the file.

mod catalogue;
mod orders;
mod reader;
mod report;
mod source;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::pin::pin;

use bytes::Bytes;
use futures_util::SinkExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinError;
use tokio_postgres::{Client, Transaction};

use crate::import::reader::{Refused, Rejects};
pub use crate::import::report::{ImportReport, ProductChanges, Refusal};
pub use crate::import::source::Format;
use crate::import::source::Source;

/// The key of the advisory lock of imports: two at a time take turns, so that each sees what the other has made.
const IMPORT_LOCK: i64 = 0x0073_686f_7069_6d70;

/// Chunks of lines that wait for the database at most; the reader waits beyond.
const CHUNKS_WAITING: usize = 8;

/// How an import is to be done.
#[derive(Clone, Debug, Default)]
pub struct ImportOptions {
    /// Write every refused row to this CSV file.
    pub rejects: Option<PathBuf>,
}

/// Why a file was not imported; nothing of it is in the database then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file is not there, or may not be read.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The columns are those of no format; the text says which are missing or unknown.
    #[error("{0}")]
    Header(String),
    /// The file ends in the middle, is damaged, or is no CSV.
    #[error("cannot read the file beyond line {line}")]
    Read {
        /// The last line that could be read.
        line: u64,
        /// Why.
        source: csv::Error,
    },
    /// The refused rows cannot be written.
    #[error("cannot write the refused rows to {}", path.display())]
    Rejects {
        /// The file.
        path: PathBuf,
        /// Why.
        source: csv::Error,
    },
    /// The refused rows would overwrite what is being imported.
    #[error("the refused rows cannot be written to the file that is imported")]
    RejectsIsSource,
    /// The database is away, or refuses.
    #[error("the database did not take the import")]
    Database(#[from] tokio_postgres::Error),
    /// The reading thread died.
    #[error("the reading thread died")]
    Reader(#[from] JoinError),
}

/// Imports a file: all of it, or nothing.
pub async fn import(
    client: &mut Client,
    source: &Path,
    options: &ImportOptions,
) -> Result<ImportReport, ImportError> {
    let bar = progress_bar();
    let (path, opened_bar) = (source.to_owned(), bar.clone());
    let source = tokio::task::spawn_blocking(move || Source::open(&path, &opened_bar)).await??;
    let rejects = options.rejects.as_deref().map(|path| open_rejects(path, &source)).transpose()?;
    let format = source.format();

    let transaction = client.transaction().await?;
    // COPY and the merges take what they take, whatever the server allows a request of the shop.
    transaction
        .batch_execute(
            "set local statement_timeout = '1h'; set local lock_timeout = '1h'; \
             set local idle_in_transaction_session_timeout = '1h'",
        )
        .await?;
    transaction.execute("select pg_advisory_xact_lock($1)", &[&IMPORT_LOCK]).await?;
    let mut report = ImportReport::new(format);
    match format {
        Format::Catalogue { with_pictures } => {
            transaction.batch_execute(include_str!("import/catalogue_staging.sql")).await?;
            report.lines = stage(&transaction, catalogue::COPY, source, rejects).await?;
            bar.set_message("merging");
            catalogue::merge(&transaction, with_pictures, &mut report).await?;
        }
        Format::OrderLines => {
            transaction.batch_execute(include_str!("import/orders_staging.sql")).await?;
            report.lines = stage(&transaction, orders::COPY, source, rejects).await?;
            bar.set_message("merging");
            orders::merge(&transaction, &mut report).await?;
        }
    }
    transaction.commit().await?;
    bar.finish_and_clear();
    Ok(report)
}

/// Streams the file's good lines into a staging table.
async fn stage(
    transaction: &Transaction<'_>,
    copy: &str,
    source: Source,
    rejects: Option<Rejects>,
) -> Result<Refused, ImportError> {
    let mut sink = pin!(transaction.copy_in::<_, Bytes>(copy).await?);
    let (sender, mut receiver) = mpsc::channel(CHUNKS_WAITING);
    let now = Timestamp::now();
    let reader = tokio::task::spawn_blocking(move || reader::read(source, &sender, rejects, now));
    while let Some(chunk) = receiver.recv().await {
        sink.send(chunk).await?;
    }
    // Where the reader failed, the sink is dropped unfinished: the server forgets the copy.
    let refused = reader.await??;
    sink.finish().await?;
    Ok(refused)
}

/// Compressed bytes on standard error, or nothing where that is no terminal.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) =
        ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
    {
        bar.set_style(style);
    }
    bar.set_message("reading");
    bar
}

fn open_rejects(path: &Path, source: &Source) -> Result<Rejects, ImportError> {
    let same = path.canonicalize().is_ok_and(|path| path == source.path());
    if same {
        return Err(ImportError::RejectsIsSource);
    }
    let error = |source: csv::Error| ImportError::Rejects { path: path.to_owned(), source };
    let file = File::create(path).map_err(|cause| error(cause.into()))?;
    Rejects::new(path, file).map_err(error)
}
