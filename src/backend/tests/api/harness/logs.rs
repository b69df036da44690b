//! What a service logs, to look at.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use tracing::level_filters::LevelFilter;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt::MakeWriter;

/// Where log lines go in a test, down to the finest.
#[derive(Clone, Default)]
pub(crate) struct Logs(Arc<Mutex<Vec<u8>>>);

impl Logs {
    /// The lines of this thread, on which the whole test runs, the service included, while the guard lives.
    pub(crate) fn capture() -> (Self, DefaultGuard) {
        // Where there is but one subscriber, tracing asks that of the thread which comes first to a line whether anybody
        // wants it, and in other tests' threads nobody does. Of two it asks both.
        static ANOTHER: OnceLock<tracing::Dispatch> = OnceLock::new();
        ANOTHER.get_or_init(|| tracing_subscriber::fmt().with_max_level(LevelFilter::OFF).finish().into());
        let logs = Self::default();
        let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE);
        let guard = tracing::subscriber::set_default(subscriber.with_writer(logs.clone()).finish());
        (logs, guard)
    }

    /// All that was logged so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic")).into_owned()
    }
}

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Logs {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
