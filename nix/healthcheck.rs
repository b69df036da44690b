//! `healthcheck 127.0.0.1:8080` asks nginx in the frontend's image whether it is well: nothing else in there could.

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);

fn ask(address: &str) -> Result<(), Box<dyn Error>> {
    let mut stream = TcpStream::connect_timeout(&address.parse()?, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.lines().next() {
        Some(line) if line.split(' ').nth(1) == Some("200") => Ok(()),
        line => Err(line.unwrap_or("no answer").into()),
    }
}

fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_default();
    match ask(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{address}: {error}");
            ExitCode::FAILURE
        }
    }
}
