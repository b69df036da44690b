//! The stack itself: its starts, ends and reports.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use stack::{Component, Edge, Stack};

const STORES: [Component; 2] = [Component::Postgres, Component::Redis];

fn alive(pid: i32) -> bool {
    // A zombie has ended, though nobody has asked how yet.
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z')))
}

async fn count_rows(stack: &Stack) -> i64 {
    let url = stack.postgres_admin_url().expect("url");
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("connect");
    tokio::spawn(connection);
    client
        .batch_execute(
            "create table if not exists starts (at timestamptz); insert into starts values (now())",
        )
        .await
        .expect("insert");
    client.query_one("select count(*) from starts", &[]).await.expect("count").get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_stacks_live_side_by_side() {
    let one = Stack::builder().only(STORES).start().await.expect("one");
    let two = Stack::builder().only(STORES).start().await.expect("two");
    assert_eq!(count_rows(&one).await, 1);
    assert_eq!(count_rows(&two).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_stack_leaves_no_process() {
    let stack = Stack::builder().only(STORES).start().await.expect("starts");
    let pids = STORES.map(|component| stack.pid(component).expect("runs"));
    assert!(pids.iter().all(|pid| alive(*pid)));
    drop(stack);
    assert!(!pids.iter().any(|pid| alive(*pid)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named_before_anything_starts() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = taken.local_addr().expect("address").port();
    let error = Stack::builder()
        .only(STORES)
        .ports([(Component::Redis, port)])
        .start()
        .await
        .expect_err("the port is taken")
        .to_string();
    assert!(error.contains(&port.to_string()) && error.contains("redis"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_dies_is_named_with_the_end_of_its_log() {
    let mut stack = Stack::builder().only([Component::Redis]).start().await.expect("starts");
    let pid = stack.pid(Component::Redis).expect("runs");
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).expect("a pid"),
        rustix::process::Signal::TERM,
    )
    .expect("signal");
    let error =
        tokio::time::timeout(Duration::from_secs(10), stack.died()).await.expect("noticed").to_string();
    assert!(error.starts_with("redis ended"), "{error}");
    // Redis' own last words.
    assert!(error.contains("bye bye"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_component_starts_again_with_its_data() {
    let mut stack = Stack::builder().only(STORES).start().await.expect("starts");
    assert_eq!(count_rows(&stack).await, 1);
    stack.kill(Component::Postgres).expect("kill");
    stack.start(Component::Postgres).await.expect("again");
    assert_eq!(count_rows(&stack).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_link_holds_and_a_cut_one_resets() {
    let mut stack = Stack::builder()
        .only([Component::Postgres, Component::Redis, Component::Backend])
        .with_links()
        .start()
        .await
        .expect("starts");
    let health = format!("{}/health", stack.url(Component::Backend).expect("url"));
    let redis = async || -> String {
        let body: serde_json::Value =
            serde_json::from_str(&reqwest::get(&health).await.expect("health").text().await.expect("body"))
                .expect("JSON");
        body["dependencies"]["redis"]["status"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(redis().await, "ok");
    for break_it in [stack::Link::cut, stack::Link::stall] {
        let link = stack.link(Edge::BackendToRedis).expect("a proxy");
        break_it(link);
        assert_eq!(redis().await, "unavailable");
        link.restore();
        let deadline = Instant::now() + Duration::from_secs(10);
        while redis().await != "ok" {
            assert!(Instant::now() < deadline, "the backend did not find Redis again");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    stack.stop_all().await.expect("all ended when asked to");
}

/// A run of the program in a directory, with free ports and one page to serve.
struct Run {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Run {
    fn start(directory: &Path) -> Self {
        let web = directory.join("web");
        std::fs::create_dir_all(&web).expect("make the pages");
        std::fs::write(web.join("index.html"), "<title>shop</title>").expect("write a page");
        let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
        command.arg("run").arg("--dir").arg(directory.join("run")).arg("--web").arg(&web);
        for port in ["--web-port", "--backend-port", "--ml-port", "--postgres-port", "--redis-port"] {
            let free = TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address").port();
            command.arg(port).arg(free.to_string());
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("start");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, output }
    }

    /// Reads until the table of addresses is complete, and returns it.
    fn table(&mut self) -> String {
        let mut text = String::new();
        while !text.contains("Ctrl-C") {
            let read = self.output.read_line(&mut text).expect("read");
            assert!(read > 0, "it ended before it was ready: {text}");
        }
        text
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid =
            i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
        rustix::process::kill_process(pid, signal).expect("signal");
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Only where an assertion failed before the end.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.signal(rustix::process::Signal::TERM);
            let _ = self.child.wait();
        }
    }
}

fn pids(directory: &Path) -> Vec<i32> {
    let files = std::fs::read_dir(directory.join("run/pids")).expect("pids");
    files
        .map(|file| {
            let text = std::fs::read_to_string(file.expect("entry").path()).expect("read");
            text.split_whitespace().nth(1).and_then(|pid| pid.parse().ok()).expect("a pid")
        })
        .collect()
}

#[test]
fn a_run_ends_on_sigterm_and_a_killed_one_is_cleaned_up_by_the_next() {
    let directory = tempfile::tempdir().expect("directory");
    let mut first = Run::start(directory.path());
    let table = first.table();
    for word in ["shop", "backend", "ml-service", "demo@shopmicro.example"] {
        assert!(table.contains(word), "{word} is missing in: {table}");
    }
    let started = pids(directory.path());
    assert_eq!(started.len(), 5);
    first.signal(rustix::process::Signal::KILL);
    first.child.wait().expect("killed");

    let mut second = Run::start(directory.path());
    second.table();
    assert!(!started.iter().any(|pid| alive(*pid)), "processes of the killed run still live");

    let started = pids(directory.path());
    let asked = Instant::now();
    second.signal(rustix::process::Signal::TERM);
    assert!(second.child.wait().expect("ended").success());
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
    assert!(!started.iter().any(|pid| alive(*pid)), "processes were left behind");
}
