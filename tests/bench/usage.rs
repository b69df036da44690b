//! What a server takes: the time that its processes run, and the memory that they hold.

use std::fs;

use stack::budgets::kibibytes;

/// A process and all that it started.
pub(crate) fn family(root: i32) -> Vec<i32> {
    let mut all = vec![root];
    let mut next = 0;
    while let Some(parent) = all.get(next) {
        let threads = fs::read_dir(format!("/proc/{parent}/task")).into_iter().flatten().flatten();
        let children = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
        let children: Vec<String> = children.collect();
        let pids = children.iter().flat_map(|text| text.split_whitespace()).flat_map(str::parse::<i32>);
        all.extend(pids);
        next += 1;
    }
    all
}

/// Seconds that these processes have run: their threads that live, to the nanosecond (`schedstat` in proc(5)).
pub(crate) fn run_time(pids: &[i32]) -> f64 {
    let threads = pids.iter().flat_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten());
    let figures =
        threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok());
    figures.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok()).sum::<f64>() / 1e9
}

/// Seconds that those children of a process have run which have ended (`cutime` and `cstime` in proc(5)).
pub(crate) fn ended(parent: i32) -> f64 {
    /// What one of a second is counted in there (`USER_HZ`).
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{parent}/stat")).unwrap_or_default();
    // A name may have spaces in it, and ends with the last bracket.
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS
}

/// The most that these processes have held since [`forget_peak`], in bytes. What they share, as a parent's model with its
/// workers, counts once, as far as it is shared now (`Pss` in proc(5)).
pub(crate) fn peak(pids: &[i32]) -> u64 {
    let maps = pids.iter().filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok());
    let once = 1024 * maps.filter_map(|text| kibibytes(&text, "Pss")).sum::<u64>();
    let shared = held(pids, "VmRSS").saturating_sub(once);
    held(pids, "VmHWM").saturating_sub(shared)
}

/// What each of these processes has held, added up in bytes, by name of the figure in `/proc/PID/status`: `VmHWM` for the
/// most since [`forget_peak`], or `VmRSS` for now.
pub(crate) fn held(pids: &[i32], figure: &str) -> u64 {
    let status = pids.iter().filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/status")).ok());
    status.filter_map(|text| kibibytes(&text, figure)).sum::<u64>() * 1024
}

/// Lets the peaks of these processes begin anew (`clear_refs` in proc(5)).
pub(crate) fn forget_peak(pids: &[i32]) {
    for pid in pids {
        // A process that has just ended has no peak.
        let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    #[test]
    fn a_family_is_found_with_its_time_and_memory() {
        let mut shell = Command::new("sh");
        // The first child burns time, the second waits with it.
        let mut shell = shell
            .args(["-c", "yes >/dev/null & read line; kill $!"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        let root = i32::try_from(shell.id()).expect("a pid");
        let burnt = loop {
            let family = family(root);
            if family.len() == 2 && run_time(&family) > 0.05 {
                break family;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        };
        assert!(held(&burnt, "VmHWM") >= held(&burnt, "VmRSS"));
        assert!(held(&burnt, "VmRSS") > 0);
        assert!((1..=held(&burnt, "VmHWM")).contains(&peak(&burnt)), "{}", peak(&burnt));
        drop(shell.stdin.take());
        shell.wait().expect("it ends");
    }

    #[test]
    fn the_time_of_a_child_that_has_ended_is_its_parents() {
        let mut shell = Command::new("sh");
        let mut shell = shell
            .args(["-c", "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done'; read line"])
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell");
        let root = i32::try_from(shell.id()).expect("a pid");
        while ended(root) < 0.05 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        drop(shell.stdin.take());
        shell.wait().expect("it ends");
    }
}
