//! How soon a service is ready after its start, and what it holds while nobody asks.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};
use stack::{Component, Stack};

use crate::driver::{self, Ask};
use crate::report::{self, mebibytes, median};
use crate::stores::address;
use crate::usage;

/// How long nobody asks.
const IDLE: Duration = Duration::from_secs(2);
/// How often it is asked whether it is ready.
const PAUSE: Duration = Duration::from_millis(1);

/// One of each for each start.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Starts {
    /// Milliseconds from the start of the process to `/health/ready`, with all there that it asks.
    pub(crate) ready_ms: Vec<f64>,
    /// What it holds then, while nobody asks, in bytes.
    pub(crate) idle_bytes: Vec<u64>,
}

/// Starts a service anew, so often.
#[expect(clippy::print_stdout, reason = "figures for the person who asked for them")]
pub(crate) async fn measure(
    stack: &mut Stack,
    service: Component,
    repetitions: usize,
    directory: &Path,
) -> Result<()> {
    let mut starts = Starts { ready_ms: Vec::new(), idle_bytes: Vec::new() };
    for _ in 0..repetitions {
        stack.stop(service).await?;
        let ready = tokio::spawn(first_ready(address(stack, service)?));
        stack.start(service).await?;
        starts.ready_ms.push(ready.await?.as_secs_f64() * 1e3);
        tokio::time::sleep(IDLE).await;
        starts.idle_bytes.push(usage::held(&[stack.pid(service)?], "VmRSS"));
    }
    let [ready, idle] = starts.medians();
    println!(
        "{} is ready {ready:.0} ms after its start, and holds {idle:.0} MiB while nobody asks\n",
        service.name()
    );
    report::write(directory, &file(service), &starts)
}

async fn first_ready(address: String) -> Duration {
    let start = Instant::now();
    while !driver::once(&address, Ask::get("/health/ready")).await.is_ok_and(|(status, _)| status == 200) {
        tokio::time::sleep(PAUSE).await;
    }
    start.elapsed()
}

fn file(service: Component) -> String {
    format!("starts-{}", service.name())
}

impl Starts {
    /// Those of a service, where they were measured.
    pub(crate) fn read(directory: &Path, service: Component) -> Result<Option<Self>> {
        report::read(directory, &file(service))
    }

    /// The medians: milliseconds, and MiB.
    pub(crate) fn medians(&self) -> [f64; 2] {
        let idle = self.idle_bytes.iter().map(|bytes| mebibytes(*bytes)).collect();
        [median(self.ready_ms.clone()), median(idle)]
    }
}
