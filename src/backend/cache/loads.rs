//! Of those who miss the same value at once, one loads it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;

/// Keys whose values are being loaded on this replica. The semaphore of a load has no permits, and is closed when the
/// load is over.
#[derive(Clone, Debug, Default)]
pub(super) struct Loads(Arc<Mutex<HashMap<String, Arc<Semaphore>>>>);

/// A load that is on its way. Dropped when it is over, or when nobody waits for it any more.
pub(super) struct Loading {
    loads: Loads,
    key: String,
}

impl Loads {
    /// The load of this key as the caller's own, or that of another.
    pub(super) fn begin(&self, key: String) -> Result<Loading, Arc<Semaphore>> {
        let mut loads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(theirs) = loads.get(&key) {
            return Err(theirs.clone());
        }
        loads.insert(key.clone(), Arc::new(Semaphore::new(0)));
        Ok(Loading { loads: self.clone(), key })
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        let over = self.loads.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        if let Some(over) = over {
            over.close();
        }
    }
}
