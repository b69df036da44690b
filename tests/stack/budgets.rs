//! What each component holds in memory while something happens, and what it may hold: `config/budgets.json`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::{Component, Stack, in_source_tree};

/// How often is looked.
const PAUSE: Duration = Duration::from_millis(100);

/// A row of the table, by its name there.
pub type Mebibytes = BTreeMap<String, u64>;

/// The MiB that each part of a group, `shop` or `observability`, may hold.
pub fn table(group: &str) -> Result<Mebibytes> {
    let text = std::fs::read(in_source_tree("config/budgets.json")?)?;
    let mut table: BTreeMap<String, Mebibytes> = serde_json::from_slice(&text)?;
    table.remove(group).with_context(|| format!("the table has no group {group}"))
}

/// The most that was seen, in bytes, by name in the table. It is what the system cannot take back: a limit kills whoever
/// holds more of that, while pages of files only have to be read again. What processes share, each holds a part of
/// (`Pss` in proc(5)).
#[derive(Clone, Debug, Default)]
pub struct Peaks(BTreeMap<&'static str, u64>);

impl Peaks {
    /// The parts of the table that held more than they may, or about which it says nothing.
    pub fn over(&self, table: &Mebibytes) -> Vec<String> {
        let over =
            self.0.iter().filter(|(name, peak)| table.get(**name).is_none_or(|mebi| **peak > mebi << 20));
        over.map(|(name, peak)| format!("{name}: {} of {:?} MiB", mebibytes(*peak), table.get(*name)))
            .collect()
    }

    /// All together.
    pub fn sum(&self) -> u64 {
        self.0.values().sum()
    }
}

impl fmt::Display for Peaks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, peak) in &self.0 {
            writeln!(f, "{name:<12} {:>4} MiB", mebibytes(*peak))?;
        }
        write!(f, "{:<12} {:>4} MiB", "all", mebibytes(self.sum()))
    }
}

fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// Its name in the table.
fn name(component: Component) -> &'static str {
    match component {
        Component::Postgres => "postgresql",
        Component::Nginx => "frontend",
        Component::BackendReplica => "backend",
        Component::PostgresExporter | Component::RedisExporter | Component::NginxExporter => "exporters",
        component => component.name(),
    }
}

/// A figure in KiB of `/proc/PID/status` or `/proc/PID/smaps_rollup` (proc(5)), by its name there.
pub fn kibibytes(text: &str, figure: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'))?;
    value.trim().strip_suffix(" kB")?.parse().ok()
}

/// What a process holds that cannot be taken back, in bytes. Nothing once it has ended.
fn held(pid: i32) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    ["Pss_Anon", "Pss_Shmem"].into_iter().filter_map(|figure| kibibytes(&rollup, figure)).sum::<u64>() * 1024
}

/// What a component uses now. Of several with one name, the one that uses most counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Memory that the system cannot take back, in bytes.
    pub bytes: u64,
    /// Open files and connections.
    pub descriptors: u64,
}

fn descriptors(pid: i32) -> u64 {
    std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |open| open.count() as u64)
}

impl Stack {
    /// What each component uses now, by its name in the table.
    pub fn usage(&self) -> BTreeMap<&'static str, Usage> {
        let mut all = BTreeMap::new();
        for (component, process) in &self.processes {
            let pids = process.pids();
            let usage: &mut Usage = all.entry(name(*component)).or_default();
            usage.bytes = usage.bytes.max(pids.iter().copied().map(held).sum());
            usage.descriptors = usage.descriptors.max(pids.iter().copied().map(descriptors).sum());
        }
        all
    }

    /// Watches what the components hold until something is over. Of several with one name, the largest counts.
    pub async fn peaks_during<T>(&self, work: impl Future<Output = T>) -> (T, Peaks) {
        let mut peaks = Peaks::default();
        let watch = async {
            loop {
                for (name, usage) in self.usage() {
                    let peak = peaks.0.entry(name).or_default();
                    *peak = usage.bytes.max(*peak);
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        let result = tokio::select! {
            result = work => result,
            () = watch => unreachable!("it goes on"),
        };
        (result, peaks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_adds_up() {
        let sum = |group: &str| table(group).expect("the table").values().sum::<u64>();
        assert!(sum("shop") <= 400, "{}", sum("shop"));
        assert!(sum("shop") + sum("observability") <= 2048, "{}", sum("observability"));
    }

    #[test]
    fn who_holds_too_much_or_is_not_in_the_table_is_named() {
        let table = Mebibytes::from([("redis".to_owned(), 2), ("backend".to_owned(), 2)]);
        let peaks = Peaks(BTreeMap::from([("redis", 2 << 20), ("backend", (2 << 20) + 1), ("nobody", 0)]));
        let over = peaks.over(&table);
        assert!(
            over.len() == 2 && over[0].starts_with("backend") && over[1].starts_with("nobody"),
            "{over:?}"
        );
        assert_eq!(peaks.sum(), (4 << 20) + 1);
    }

    #[test]
    fn memory_that_is_written_to_is_held() {
        let own = || held(std::process::id().try_into().expect("a pid"));
        let before = own();
        let block = vec![1_u8; 32 << 20];
        assert!(own() >= before + (30 << 20), "{before}");
        drop(block);
    }
}
