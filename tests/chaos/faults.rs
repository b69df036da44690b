//! What happens to a shop: chosen by a seed, begun and ended.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::RngExt;
use rand::rngs::SmallRng;
use stack::{Component, Edge, Link, Stack};

/// The library that shows programs another time than there is, where Debian has it.
const FAKETIME: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
];
/// How far a clock may jump, in seconds.
const LEAP: i64 = 3_600;
/// The size of the database's disk, in bytes: with room for what a long run writes. It takes what is written on it.
const DISK: u64 = 4 << 30;
/// How often a disk that is written to is asked how much is on it until there is no less room than that.
const ATTEMPTS: usize = 20;

/// A connection that can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Between two parts of the shop.
    Between(Edge),
    /// From all services to whoever takes their traces.
    Traces,
}

impl Line {
    const ALL: [Self; 6] = [
        Self::Between(Edge::BackendToPostgres),
        Self::Between(Edge::BackendToRedis),
        Self::Between(Edge::BackendToMlService),
        Self::Between(Edge::MlServiceToRedis),
        Self::Between(Edge::MlServiceToBackend),
        Self::Traces,
    ];

    fn link<'a>(self, stack: &'a Stack, means: &'a Means) -> Result<&'a Link> {
        match self {
            Self::Between(edge) => stack.link(edge),
            Self::Traces => Ok(&means.traces),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Between(edge) => edge.name(),
            Self::Traces => "services-to-traces",
        })
    }
}

/// Something that breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A crash (SIGKILL); it is started again.
    Kill(Component),
    /// It stops in its tracks and goes on (SIGSTOP, SIGCONT).
    Pause(Component),
    /// An operator stops it and starts it again.
    Restart(Component),
    /// Every connection is reset, and each new one.
    Cut(Line),
    /// Connections stay, and nothing passes.
    Stall(Line),
    /// Everything comes late.
    Delay(Line, Duration),
    /// Every connection is reset after so many bytes of answers.
    Reset(Line, usize),
    /// The other side forgets every connection, and this one is not told.
    HalfOpen(Line),
    /// The database's disk is full.
    DiskFull,
    /// The backends' clocks jump, and jump back, by so many seconds.
    ClockStep(i64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(component) => write!(f, "kill {}", component.name()),
            Self::Pause(component) => write!(f, "pause {}", component.name()),
            Self::Restart(component) => write!(f, "restart {}", component.name()),
            Self::Cut(line) => write!(f, "cut {line}"),
            Self::Stall(line) => write!(f, "stall {line}"),
            Self::Delay(line, by) => write!(f, "delay {line} by {by:?}"),
            Self::Reset(line, bytes) => write!(f, "reset {line} after {bytes} bytes"),
            Self::HalfOpen(line) => write!(f, "half-open {line}"),
            Self::DiskFull => f.write_str("disk of postgres is full"),
            Self::ClockStep(seconds) => write!(f, "clocks of the backends jump by {seconds} s"),
        }
    }
}

impl Fault {
    /// Any fault for which there are the means.
    pub fn any(rng: &mut SmallRng, means: &Means) -> Self {
        let component = means.components[rng.random_range(0..means.components.len())];
        let line = Line::ALL[rng.random_range(0..Line::ALL.len())];
        loop {
            return match rng.random_range(0..14) {
                0..=2 => Self::Kill(component),
                3..=4 => Self::Pause(component),
                5..=6 => Self::Restart(component),
                7 => Self::Cut(line),
                8 => Self::Stall(line),
                9 => Self::Delay(line, Duration::from_millis(rng.random_range(20..500))),
                10 => Self::Reset(line, rng.random_range(0..5_000)),
                11 => Self::HalfOpen(line),
                12 if means.disk.is_some() => Self::DiskFull,
                13 if means.clock.is_some() => Self::ClockStep(if rng.random() { LEAP } else { -LEAP }),
                _ => continue,
            };
        }
    }

    /// Whether events that Redis had taken may be lost with it: it keeps nothing on disk.
    pub fn loses_events(self) -> bool {
        matches!(self, Self::Kill(Component::Redis) | Self::Restart(Component::Redis))
    }

    /// Lets it happen.
    pub async fn begin(self, stack: &mut Stack, means: &Means) -> Result<()> {
        match self {
            Self::Kill(component) => stack.kill(component),
            Self::Pause(component) => stack.pause(component),
            Self::Restart(component) => stack.stop(component).await,
            Self::Cut(line) => line.link(stack, means).map(Link::cut),
            Self::Stall(line) => line.link(stack, means).map(Link::stall),
            Self::Delay(line, by) => line.link(stack, means).map(|link| link.slow(by)),
            Self::Reset(line, bytes) => line.link(stack, means).map(|link| link.reset_after(bytes)),
            Self::HalfOpen(line) => line.link(stack, means).map(Link::half_open),
            Self::DiskFull => means.disk.as_ref().context("no disk of its own")?.fill(),
            Self::ClockStep(seconds) => means.clock.as_ref().context("no clock of its own")?.step(seconds),
        }
    }

    /// Ends what was done; what died of it is started again, as its supervisor would.
    pub async fn end(self, stack: &mut Stack, means: &Means) -> Result<()> {
        match self {
            Self::Kill(component) | Self::Restart(component) => stack.start(component).await?,
            Self::Pause(component) => stack.resume(component)?,
            Self::Cut(line)
            | Self::Stall(line)
            | Self::Delay(line, _)
            | Self::Reset(line, _)
            | Self::HalfOpen(line) => line.link(stack, means)?.restore(),
            Self::DiskFull => means.disk.as_ref().context("no disk of its own")?.empty()?,
            Self::ClockStep(_) => means.clock.as_ref().context("no clock of its own")?.step(0)?,
        }
        // A database without room to write ends itself.
        if stack.check(Component::Postgres).is_err() {
            let _ = stack.kill(Component::Postgres);
            stack.start(Component::Postgres).await?;
        }
        Ok(())
    }
}

/// What faults are made with.
#[derive(Debug)]
pub struct Means {
    /// What may be killed, paused and restarted.
    pub components: Vec<Component>,
    /// The database's disk, where one can be made.
    pub disk: Option<Disk>,
    /// The backends' clocks, where they can be bent.
    pub clock: Option<Clock>,
    /// The way of traces.
    pub traces: Link,
}

/// A file system in memory for the database, which can be full: it is made as small as what is on it.
#[derive(Debug)]
pub struct Disk(PathBuf);

impl Disk {
    /// Mounts one where the database's files will be, for root alone.
    pub fn mount(at: &Path) -> Result<Self> {
        fs::create_dir_all(at)?;
        mount(&format!("size={DISK},mode=0755"), at)?;
        Ok(Self(at.to_owned()))
    }

    fn fill(&self) -> Result<()> {
        let mut outcome = Ok(());
        for _ in 0..ATTEMPTS {
            let now = rustix::fs::statvfs(&self.0)?;
            outcome =
                mount(&format!("remount,size={}", (now.f_blocks - now.f_bfree) * now.f_frsize), &self.0);
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }

    fn empty(&self) -> Result<()> {
        mount(&format!("remount,size={DISK}"), &self.0)
    }
}

fn mount(options: &str, at: &Path) -> Result<()> {
    let output = Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]).arg(at).output()?;
    ensure!(output.status.success(), "mount: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that ends late may still have a file open.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// The clocks of the processes that read a file: libfaketime shows them the time that it says.
#[derive(Debug)]
pub struct Clock {
    library: &'static str,
    file: PathBuf,
}

impl Clock {
    /// A clock that goes right so far; nothing where libfaketime is not installed.
    pub fn new(file: PathBuf) -> Result<Option<Self>> {
        let Some(library) = FAKETIME.into_iter().find(|library| Path::new(library).exists()) else {
            return Ok(None);
        };
        let clock = Self { library, file };
        clock.step(0)?;
        Ok(Some(clock))
    }

    /// The environment of a process with this clock. Durations are measured as ever: a clock that is set does not touch
    /// them.
    pub fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", self.library.to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }

    fn step(&self, seconds: i64) -> Result<()> {
        // Replaced as a whole: it is read at any time.
        let new = self.file.with_extension("new");
        fs::write(&new, format!("{seconds:+}s\n"))?;
        Ok(fs::rename(new, &self.file)?)
    }
}
