//! The stack itself: its starts, ends and reports.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
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
async fn one_port_for_two_components_is_refused() {
    let ports = [(Component::Postgres, 29_999), (Component::Redis, 29_999)];
    let error = Stack::builder().only(STORES).ports(ports).start().await.expect_err("one port").to_string();
    assert!(error.contains("port 29999 is meant for both postgres and redis"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_keeps_its_data_and_has_one_user_at_a_time() {
    let directory = tempfile::tempdir().expect("directory");
    let stays = Stack::builder().only(STORES).directory(directory.path());
    let mut first = stays.clone().start().await.expect("the first");
    assert_eq!(count_rows(&first).await, 1);
    let error = stays.clone().start().await.expect_err("in use").to_string();
    assert!(error.contains("in use by another run"), "{error}");
    for secret in ["postgres-admin", "postgres", "redis"] {
        let file = first.directory().join("secrets").join(secret);
        assert_eq!(std::fs::metadata(file).expect("a secret").permissions().mode() & 0o777, 0o600);
    }
    first.stop_all().await.expect("all ended when asked to");
    drop(first);

    let second = stays.start().await.expect("the second, on other ports");
    assert_eq!(count_rows(&second).await, 2);
    let link = second.directory().join("postgres");
    drop(second);
    // It is there where PostgreSQL's user cannot pass through a private directory.
    if let Ok(elsewhere) = std::fs::read_link(link) {
        std::fs::remove_dir_all(elsewhere).expect("remove the data");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_component_answers_nothing_and_then_goes_on_or_ends() {
    let mut stack = Stack::builder().only(STORES).start().await.expect("starts");
    assert_eq!(count_rows(&stack).await, 1);
    stack.pause(Component::Postgres).expect("pause");
    assert!(tokio::time::timeout(Duration::from_millis(300), count_rows(&stack)).await.is_err());
    stack.resume(Component::Postgres).expect("resume");
    assert!(count_rows(&stack).await >= 2);
    stack.pause(Component::Redis).expect("pause");
    stack.stop_all().await.expect("all ended when asked to");
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

/// A port that no other test asks for at the same time, nor the kernel for an outgoing connection.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + u16::try_from(std::process::id() % 4_000).expect("small");
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
    rustix::process::kill_process(pid, signal).expect("signal");
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
            command.arg(port).arg(free_port().to_string());
        }
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, output }
    }

    /// Reads until the table of addresses is complete, and returns it.
    fn table(&mut self) -> String {
        let mut text = String::new();
        while !text.contains("Ctrl-C") {
            let read = self.output.read_line(&mut text).expect("read");
            assert!(read > 0, "it ended before it was ready: {text}{}", self.errors());
        }
        text
    }

    /// What it said on standard error until its end.
    fn errors(&mut self) -> String {
        let mut text = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut text).expect("read");
        text
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // Only where an assertion failed before the end.
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(&self.child, rustix::process::Signal::TERM);
            let _ = self.child.wait();
        }
    }
}

/// A directory for runs, and what PostgreSQL has elsewhere for them.
struct RunDirectory(tempfile::TempDir);

impl Drop for RunDirectory {
    fn drop(&mut self) {
        if let Ok(elsewhere) = std::fs::read_link(self.0.path().join("run/postgres")) {
            let _ = std::fs::remove_dir_all(elsewhere);
        }
    }
}

/// The components' processes and all their descendants.
fn processes(directory: &Path) -> Vec<i32> {
    let files = std::fs::read_dir(directory.join("pids")).expect("pids");
    let mut family: Vec<i32> = files
        .map(|file| {
            let text = std::fs::read_to_string(file.expect("entry").path()).expect("read");
            text.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a pid")
        })
        .collect();
    let mut next = 0;
    while let Some(pid) = family.get(next) {
        let children =
            std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        family.extend(children.split_whitespace().map(|pid| pid.parse::<i32>().expect("a pid")));
        next += 1;
    }
    family
}

fn none_is_left(started: &[i32]) {
    // PostgreSQL's children notice by themselves that their parent was killed.
    let deadline = Instant::now() + Duration::from_secs(5);
    while started.iter().any(|pid| alive(*pid)) {
        let left: Vec<_> = started.iter().filter(|pid| alive(**pid)).collect();
        assert!(Instant::now() < deadline, "processes were left behind: {left:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_run_ends_on_sigterm_and_a_killed_one_is_cleaned_up_by_the_next() {
    let directory = RunDirectory(tempfile::tempdir().expect("directory"));
    let path = directory.0.path();
    let mut first = Run::start(path);
    let table = first.table();
    for word in ["shop", "backend", "ml-service", "demo@shopmicro.example"] {
        assert!(table.contains(word), "{word} is missing in: {table}");
    }
    let started = processes(&path.join("run"));
    // Each component, and children of PostgreSQL and nginx.
    assert!(started.len() > 9, "{started:?}");
    signal(&first.child, rustix::process::Signal::KILL);
    first.child.wait().expect("killed");

    let mut second = Run::start(path);
    second.table();
    assert!(!started.iter().any(|pid| alive(*pid)), "processes of the killed run still live");

    let started = processes(&path.join("run"));
    let asked = Instant::now();
    signal(&second.child, rustix::process::Signal::TERM);
    assert!(second.child.wait().expect("ended").success());
    assert!(asked.elapsed() < Duration::from_secs(10), "it took {:?}", asked.elapsed());
    none_is_left(&started);
    assert_eq!(second.errors(), "");
}

#[test]
fn a_run_whose_component_dies_names_it_and_stops() {
    let directory = RunDirectory(tempfile::tempdir().expect("directory"));
    let path = directory.0.path();
    for (component, words) in [("nginx", "nginx ended (signal: 9"), ("postgres", "postgres ended (signal: 9")]
    {
        let mut run = Run::start(path);
        run.table();
        let started = processes(&path.join("run"));
        let text = std::fs::read_to_string(path.join("run/pids").join(component)).expect("read");
        let pid = text.split_whitespace().next().and_then(|pid| pid.parse().ok()).expect("a pid");
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(pid).expect("a pid"),
            rustix::process::Signal::KILL,
        )
        .expect("signal");
        assert_eq!(run.child.wait().expect("ended").code(), Some(1), "{component}");
        let errors = run.errors();
        assert!(errors.contains(words), "{errors}");
        assert!(errors.contains(&format!("logs/{component}.log")), "{errors}");
        none_is_left(&started);
    }
}

#[test]
fn a_run_says_which_port_is_taken_and_starts_nothing() {
    let directory = tempfile::tempdir().expect("directory");
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = taken.local_addr().expect("address").port().to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_stack"))
        .args(["run", "--web-port", &port, "--backend-port", &free_port().to_string()])
        .args(["--ml-port", &free_port().to_string(), "--postgres-port", &free_port().to_string()])
        .args(["--redis-port", &free_port().to_string()])
        .arg("--dir")
        .arg(directory.path())
        .output()
        .expect("run");
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains(&format!("port {port}, meant for nginx, is taken")), "{errors}");
    assert!(!directory.path().join("postgres").exists());
}

/// `stack exec` with a shell script.
fn exec(options: &[&str], script: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
    command.arg("exec").args(options).args(["--", "bash", "-c", script]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[test]
fn a_command_finds_its_stack_and_its_status_is_passed_on() {
    let script = "echo ${POSTGRES_URL%%:*} ${REDIS_URL%%:*} [$BACKEND_URL$SHOP_URL]; exit 7";
    let output = exec(&["--only", "postgres,redis"], script).output().expect("run");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "postgresql redis []\n");
    let killed = exec(&["--only", "redis"], "kill -9 $$").output().expect("run");
    assert_eq!(killed.status.code(), Some(128 + 9));
}

#[test]
fn a_command_can_break_its_stack() {
    let stack = env!("CARGO_BIN_EXE_stack");
    let script = format!(
        "{stack} fault kill redis && ! {stack} fault kill redis && {stack} fault start redis && \
         {stack} fault kill redis && ! {stack} fault cut nonsense"
    );
    let output = exec(&["--only", "redis", "--faults"], &script).output().expect("run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("redis does not run"), "{errors}");
    let without = exec(&["--only", "redis"], &format!("{stack} fault kill redis")).output().expect("run");
    assert_eq!(without.status.code(), Some(1));
}

#[test]
fn nobody_else_can_break_a_stack() {
    let output = exec(&["--only", "redis", "--faults"], "stat -c %A $STACK_FAULTS").output().expect("run");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "srw-------\n");
}

#[test]
fn who_connects_and_says_nothing_holds_nothing_up() {
    let mut command = exec(&["--only", "redis", "--faults"], "echo $STACK_FAULTS; exec sleep 600");
    let mut child = command.spawn().expect("start");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("read");
    let socket = line.trim();
    let long = Duration::from_secs(30);
    let say_nothing = || {
        let stream = UnixStream::connect(socket).expect("connect");
        std::thread::spawn(move || {
            std::thread::sleep(long);
            drop(stream);
        });
    };
    let asked = Instant::now();
    say_nothing();
    let mut kill = Command::new(env!("CARGO_BIN_EXE_stack"));
    let killed = kill.args(["fault", "--socket", socket, "kill", "redis"]).output().expect("run");
    assert!(killed.status.success(), "{}", String::from_utf8_lossy(&killed.stderr));
    say_nothing();
    signal(&child, rustix::process::Signal::TERM);
    assert_eq!(child.wait().expect("ended").code(), Some(128 + 15));
    assert!(asked.elapsed() < long, "it took {:?}", asked.elapsed());
}

#[test]
fn an_incident_that_there_is_not_is_refused_with_those_that_there_are() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stack"));
    let output = command.args(["break", "meteorite"]).output().expect("run");
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8_lossy(&output.stderr);
    for scenario in stack::scenarios::Scenario::ALL {
        assert!(errors.contains(scenario.name()), "{scenario}: {errors}");
    }
}

/// Whoever has seen enough ends it, and still hears how it went.
#[test]
fn a_load_that_is_interrupted_tells_how_it_went() {
    let stack = env!("CARGO_BIN_EXE_stack");
    // Until the first customers have been in the shop.
    let script = format!(
        "{stack} load --url $SHOP_URL --rate 10 --duration 3600 --think 0.1 & load=$!
         until curl --silent $BACKEND_URL/metrics | grep --quiet shop_web_vitals; do sleep 0.2; done
         kill -INT $load; wait $load"
    );
    // A shell without job control has its children ignore SIGINT; the program listens all the same.
    let output = exec(&[], &script).output().expect("run");
    let (report, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{errors}");
    assert!(
        report.contains("p99 ms") && report.contains("vitals") && report.contains("customers"),
        "{report}"
    );
}

#[test]
fn sigterm_reaches_the_command_and_what_a_killed_stack_left_is_removed_by_the_next() {
    // A temporary directory of its own, so that other tests do not clean up first.
    let temporary =
        tempfile::Builder::new().permissions(PermissionsExt::from_mode(0o711)).tempdir().expect("directory");
    // It ends with a stack that is killed: nobody else would end it.
    let script = "trap 'echo bye; exit' TERM; echo ready; while kill -0 $PPID; do sleep 0.1; done";
    let start = || {
        let mut command = exec(&["--only", "postgres,redis"], script);
        let mut child = command.env("TMPDIR", temporary.path()).spawn().expect("start");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("read");
        assert_eq!(line, "ready\n");
        (child, output)
    };
    let directories = || -> Vec<_> {
        std::fs::read_dir(temporary.path()).expect("list").map(|entry| entry.expect("entry").path()).collect()
    };
    let (mut first, _) = start();
    let left = directories().remove(0);
    let started = processes(&left);
    signal(&first, rustix::process::Signal::KILL);
    first.wait().expect("killed");
    assert!(left.exists());

    let (mut second, mut output) = start();
    assert!(!left.exists());
    assert!(!started.iter().any(|pid| alive(*pid)), "processes of the killed stack still live");
    let started = processes(&directories()[0]);
    signal(&second, rustix::process::Signal::TERM);
    assert_eq!(second.wait().expect("ended").code(), Some(128 + 15));
    let mut rest = String::new();
    output.read_to_string(&mut rest).expect("read");
    assert_eq!(rest, "bye\n");
    assert_eq!(directories(), Vec::<std::path::PathBuf>::new());
    none_is_left(&started);
}
