//! Child processes: their output in a file, their descendants included in every signal, none left behind.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

/// How long the kernel may take to end what was killed.
const KILL_DEADLINE: Duration = Duration::from_secs(5);

/// A child, and all that it starts. Dropping it kills them.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    family: Family,
    pid_file: PathBuf,
}

impl Process {
    /// Starts a command in a process group of its own, so that a terminal's Ctrl-C reaches only us.
    pub(crate) fn spawn(name: &str, mut command: Command, log: &Path, pid_file: PathBuf) -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let log = OpenOptions::new().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("start {name}: {}", command.get_program().to_string_lossy()))?;
        let pid = i32::try_from(child.id())?;
        let family = Family { root: pid, start: Stat::of(pid).map(|stat| stat.start).unwrap_or_default() };
        let process = Self { child, family, pid_file };
        fs::write(&process.pid_file, format!("{pid} {} {}\n", process.family.start, boot_id()?))?;
        Ok(process)
    }

    pub(crate) fn pid(&self) -> i32 {
        self.family.root
    }

    /// The process and all its descendants.
    pub(crate) fn pids(&self) -> Vec<i32> {
        self.family.living().into_iter().map(|(pid, _)| pid).collect()
    }

    /// The status, once the process has ended. What it leaves behind is ended too: workers of nginx, for one, outlive
    /// their master.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let status = self.child.try_wait()?;
        if status.is_some() {
            self.family.kill()?;
        }
        Ok(status)
    }

    /// Signals the process and all its descendants.
    pub(crate) fn signal_all(&self, signal: Signal) {
        // First the one that would start others.
        send(self.family.root, signal);
        for (pid, _) in self.family.living() {
            send(pid, signal);
        }
    }

    /// Kills the process and all its descendants, and reaps it.
    pub(crate) fn kill(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            // So that it starts no more of them while they are looked for.
            send(self.family.root, Signal::STOP);
        }
        let killed = self.family.kill();
        self.child.wait()?;
        let _ = fs::remove_file(&self.pid_file);
        killed
    }

    /// Asks the process to end, also where it is paused, and waits. Answers false where it had to be killed.
    pub(crate) async fn stop(&mut self, signal: Signal, patience: Duration) -> Result<bool> {
        let deadline = Instant::now() + patience;
        if self.child.try_wait()?.is_none() {
            send(self.family.root, signal);
            self.signal_all(Signal::CONT);
        }
        while self.child.try_wait()?.is_none() {
            if Instant::now() >= deadline {
                self.kill()?;
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.kill()?;
        Ok(true)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

fn send(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        // It may have ended meanwhile, which is as good.
        let _ = kill_process(pid, signal);
    }
}

/// What `/proc/PID/stat` says of a process (`proc_pid_stat(5)`).
struct Stat {
    zombie: bool,
    parent: i32,
    group: i32,
    /// In clock ticks since boot: with the pid, it tells one process from every other.
    start: String,
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The command's name, in brackets, may itself hold spaces and brackets.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
        Some(Self {
            zombie: *fields.first()? == "Z",
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            start: (*fields.get(19)?).to_owned(),
        })
    }
}

/// A process that leads a group, with all its descendants and the rest of its group. Both, since PostgreSQL's children
/// have groups of their own, and those of nginx lose their parent when it dies.
#[derive(Debug)]
struct Family {
    root: i32,
    start: String,
}

impl Family {
    /// Pids with the times at which they started, the root first.
    fn living(&self) -> Vec<(i32, String)> {
        let mut all = Vec::new();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let pid = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
            if let Some(pid) = pid
                && let Some(stat) = Stat::of(pid)
            {
                // The kernel gives a pid to nobody else while a group has it; so whoever has it now came after the group.
                if pid == self.root && stat.start != self.start {
                    return Vec::new();
                }
                all.push((pid, stat));
            }
        }
        let mut family: Vec<(i32, String)> = Vec::new();
        let mut parents = vec![self.root];
        while let Some(parent) = parents.pop() {
            for (pid, stat) in &all {
                let related = *pid == self.root || stat.group == self.root || stat.parent == parent;
                if related && !family.iter().any(|(known, _)| known == pid) {
                    family.push((*pid, stat.start.clone()));
                    parents.push(*pid);
                }
            }
        }
        // A zombie has ended; whose child it is may take its time to ask.
        family.retain(|(pid, _)| !all.iter().any(|(p, stat)| p == pid && stat.zombie));
        family
    }

    fn kill(&self) -> Result<()> {
        let deadline = Instant::now() + KILL_DEADLINE;
        let mut family = self.living();
        while let Some((first, _)) = family.first() {
            let first = *first;
            // At least once, however long it took to find them: a machine may be that busy.
            for (pid, _) in &family {
                send(*pid, Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(5));
            // Those that were killed first: when the root is gone, its descendants are not found through it.
            family.retain(|(pid, start)| {
                Stat::of(*pid).is_some_and(|stat| stat.start == *start && !stat.zombie)
            });
            if family.is_empty() {
                family = self.living();
            }
            ensure!(family.is_empty() || Instant::now() < deadline, "process {first} does not end");
        }
        Ok(())
    }
}

/// Waits until no process with this word in its name works in a directory any more, a zombie aside.
pub(crate) fn wait_for_nobody_in(directory: &Path, name: &str) -> Result<()> {
    let somebody = || {
        fs::read_dir("/proc").into_iter().flatten().flatten().any(|entry| {
            // A zombie has no directory, and those of other users cannot be read, nor are they ours.
            fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == directory)
                && fs::read_to_string(entry.path().join("comm")).is_ok_and(|comm| comm.contains(name))
        })
    };
    let deadline = Instant::now() + KILL_DEADLINE;
    while somebody() {
        ensure!(Instant::now() < deadline, "a process of {name} still works in {}", directory.display());
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Whether a process has ended, though its parent has not asked how.
pub(crate) fn is_zombie(pid: i32) -> bool {
    Stat::of(pid).is_some_and(|stat| stat.zombie)
}

/// Differs from boot to boot, so that pids of an earlier one mean nothing.
fn boot_id() -> Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/random/boot_id")?.trim().to_owned())
}

/// Ends what an earlier run in this directory left behind when it was killed itself.
pub(crate) fn end_leftovers(pids: &Path) -> Result<()> {
    for entry in fs::read_dir(pids).into_iter().flatten().flatten() {
        let text = fs::read_to_string(entry.path())?;
        if let [pid, start, boot] = text.split_whitespace().collect::<Vec<_>>()[..]
            && let Ok(root) = pid.parse()
            && boot == boot_id()?
        {
            let name = entry.file_name();
            Family { root, start: start.to_owned() }
                .kill()
                .with_context(|| format!("end {}, which an earlier run left", name.to_string_lossy()))?;
        }
        fs::remove_file(entry.path())?;
    }
    Ok(())
}
