//! Ports on the loopback that no other stack gets at the same time.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use anyhow::{Result, bail};

/// Below those that the kernel gives to outgoing connections, which could take one in the moment before its component
/// listens.
const FREE: Range<u16> = 20_000..30_000;

/// A port, reserved where it was chosen here.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) number: u16,
    #[expect(dead_code, reason = "held for its name")]
    reservation: Option<UnixListener>,
}

impl Port {
    /// One that the user chose.
    pub(crate) fn fixed(number: u16) -> Self {
        Self { number, reservation: None }
    }

    /// A free one. Stacks know of each other's by names in the abstract namespace, which end with their process.
    pub(crate) fn free() -> Result<Self> {
        for _ in 0..1_000 {
            let number = rand::random_range(FREE);
            let name = SocketAddr::from_abstract_name(format!("shopmicro-port-{number}"))?;
            if let Ok(reservation) = UnixListener::bind_addr(&name)
                && is_free(Ipv4Addr::LOCALHOST, number)
            {
                return Ok(Self { number, reservation: Some(reservation) });
            }
        }
        bail!("there is no free port in {FREE:?}")
    }
}

pub(crate) fn is_free(host: Ipv4Addr, port: u16) -> bool {
    TcpListener::bind((host, port)).is_ok()
}
