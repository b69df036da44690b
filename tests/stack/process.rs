//! Child processes: their output in a file, their descendants included in every signal, none left behind.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A running child.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    pid_file: PathBuf,
}

impl Process {
    /// Starts a command in a process group of its own, so that a terminal's Ctrl-C reaches only us.
    pub(crate) fn spawn(
        name: &'static str,
        mut command: Command,
        log: &Path,
        pid_file: PathBuf,
    ) -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name}: {}", command.get_program().to_string_lossy()))?;
        let process = Self { name, child, pid_file };
        let start = start_time(process.pid()).unwrap_or_default();
        fs::write(&process.pid_file, format!("{name} {} {start}\n", process.pid()))?;
        Ok(process)
    }

    pub(crate) fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap_or(i32::MAX)
    }

    /// The status, once the process has ended.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Signals the process and all its descendants.
    pub(crate) fn signal_all(&self, signal: Signal) {
        for pid in family(self.pid()) {
            send(pid, signal);
        }
    }

    /// Kills the process and all its descendants, and reaps it.
    pub(crate) fn kill(mut self) {
        self.signal_all(Signal::KILL);
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.pid_file);
    }

    /// Asks the process to end and waits until the deadline; then kills it.
    pub(crate) async fn stop(mut self, signal: Signal, deadline: Instant) -> Result<()> {
        send(self.pid(), signal);
        while self.child.try_wait()?.is_none() {
            if Instant::now() >= deadline {
                let name = self.name;
                self.kill();
                bail!("{name} did not end when asked to, and was killed");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let _ = fs::remove_file(&self.pid_file);
        Ok(())
    }
}

fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended meanwhile, which is as good.
        let _ = kill_process(pid, signal);
    }
}

/// Fields of `/proc/PID/stat` after the command's name, which may itself hold spaces and brackets (`proc_pid_stat(5)`).
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = text.rsplit_once(')')?;
    Some(fields.split_whitespace().map(ToOwned::to_owned).collect())
}

/// When a process started, in clock ticks since boot: with the pid, it tells one process from every other.
fn start_time(pid: i32) -> Option<String> {
    stat(pid)?.get(19).cloned()
}

/// A process and its descendants. PostgreSQL's children have sessions of their own, so a process group does not do.
fn family(root: i32) -> Vec<i32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        if let Some(parent) = stat(pid).and_then(|fields| fields.get(1)?.parse::<i32>().ok()) {
            parents.push((pid, parent));
        }
    }
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(parents.iter().filter(|(_, p)| *p == parent).map(|(pid, _)| *pid));
        next += 1;
    }
    family
}

/// Ends what an earlier run in this directory left behind when it was killed itself.
pub(crate) fn end_leftovers(pids: &Path) -> Result<()> {
    for entry in fs::read_dir(pids).into_iter().flatten().flatten() {
        let text = fs::read_to_string(entry.path())?;
        let mut words = text.split_whitespace();
        if let (Some(_name), Some(pid), Some(start)) = (words.next(), words.next(), words.next())
            && let Ok(pid) = pid.parse::<i32>()
            && start_time(pid).as_deref() == Some(start)
        {
            for pid in family(pid) {
                send(pid, Signal::KILL);
            }
            let deadline = Instant::now() + Duration::from_secs(5);
            while start_time(pid).as_deref() == Some(start) {
                if Instant::now() > deadline {
                    bail!("process {pid} of an earlier run does not end");
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        fs::remove_file(entry.path())?;
    }
    Ok(())
}
