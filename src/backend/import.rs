//! STUB until the importer is here.
/// Options.
pub struct ImportOptions {
    /// a
    pub rejects: Option<std::path::PathBuf>,
}
/// Stub.
pub async fn import(
    _: &mut tokio_postgres::Client,
    _: &std::path::Path,
    _: &ImportOptions,
) -> anyhow::Result<String> {
    Ok(String::new())
}
