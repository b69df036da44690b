//! Lines to standard output, gathered: whoever writes one copies it into memory, and a thread hands many to the system at
//! once. A reader that is slow holds up nobody; what there is no room for is lost, and counted.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Losses;

/// How long lines are gathered; those that tell of trouble are not.
const GATHER: Duration = Duration::from_millis(20);
/// The most bytes that wait.
const WAITING: usize = 1 << 20;
/// So many are written without further waiting.
const ENOUGH: usize = 64 << 10;

/// The way to the output. Clones share it; when the last one that may end it goes, what is left has been written.
#[derive(Clone, Debug)]
pub(super) struct Output {
    shared: Arc<Shared>,
    #[expect(dead_code, reason = "held for its end")]
    ending: Option<Arc<Ending>>,
}

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// There is something to write, or to write at once.
    arrived: Condvar,
    losses: Losses,
}

#[derive(Debug, Default)]
struct Waiting {
    text: Vec<u8>,
    lines: u64,
    urgent: bool,
    over: bool,
}

#[derive(Debug)]
struct Ending {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Output {
    /// Starts the thread.
    pub(super) fn start(to: impl Write + Send + 'static, losses: &Losses) -> std::io::Result<Self> {
        let shared =
            Arc::new(Shared { waiting: Mutex::default(), arrived: Condvar::new(), losses: losses.clone() });
        let writing = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("log".to_owned()).spawn(move || writing.write_to(to))?;
        let ending = Ending { shared: Arc::clone(&shared), thread: Mutex::new(Some(thread)) };
        Ok(Self { shared, ending: Some(Arc::new(ending)) })
    }

    /// The same, to write alone: it does not keep the thread from its end.
    pub(super) fn writer(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), ending: None }
    }

    /// Adds a line, with its end.
    pub(super) fn write(&self, line: &[u8], urgent: bool) {
        let mut waiting = self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.text.len() + line.len() > WAITING {
            drop(waiting);
            self.shared.losses.dropped(1);
            return;
        }
        let was_empty = waiting.text.is_empty();
        waiting.text.extend_from_slice(line);
        waiting.lines += 1;
        let hurry = (urgent || waiting.text.len() >= ENOUGH) && !waiting.urgent;
        waiting.urgent |= hurry;
        drop(waiting);
        if was_empty || hurry {
            self.shared.arrived.notify_one();
        }
    }
}

impl Shared {
    fn write_to(&self, mut to: impl Write) {
        let mut text = Vec::new();
        loop {
            let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let waiting =
                self.arrived.wait_while(waiting, |waiting| waiting.text.is_empty() && !waiting.over);
            let waiting = waiting.unwrap_or_else(PoisonError::into_inner);
            let gathered =
                self.arrived.wait_timeout_while(waiting, GATHER, |waiting| !waiting.urgent && !waiting.over);
            let (mut waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
            std::mem::swap(&mut text, &mut waiting.text);
            let (lines, over) = (std::mem::take(&mut waiting.lines), waiting.over);
            waiting.urgent = false;
            drop(waiting);
            match to.write_all(&text).and_then(|()| to.flush()) {
                Ok(()) => self.losses.sent(lines),
                Err(_) => self.losses.dropped(lines),
            }
            if over && text.is_empty() {
                return;
            }
            text.clear();
            text.shrink_to(ENOUGH);
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.shared.waiting.lock().unwrap_or_else(PoisonError::into_inner).over = true;
        self.shared.arrived.notify_one();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}
