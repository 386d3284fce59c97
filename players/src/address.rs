//! Where a player listens: `host:port`.

use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

/// `host:port`, checked but not yet looked up: `127.0.0.1:4440`, `[::1]:4440`, `server0.lan:4440`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// The host: a name, an IPv4 address, or an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The UDP port; never 0.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Looks the host up, at the time of the call: a player may have moved since the roster was
    /// read. At least one address, in the resolver's order.
    ///
    /// Blocks on DNS; an async caller looks up `(host(), port())` with its own runtime.
    ///
    /// # Errors
    /// The resolver's error, with the address in front.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let failed = |kind, why: String| {
            io::Error::new(
                kind,
                format!(
                    "cannot look up {self}: {why}; check the host in config.json and this \
                     machine's name resolution"
                ),
            )
        };
        let found: Vec<_> = (self.host.as_str(), self.port)
            .to_socket_addrs()
            .map_err(|error| failed(error.kind(), error.to_string()))?
            .collect();
        if found.is_empty() {
            return Err(failed(io::ErrorKind::NotFound, "the name has no address".into()));
        }
        Ok(found)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Why a text is no address. Each message says what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// There is no colon, or nothing after it.
    #[error("{address:?} has no port: write host:port, such as 127.0.0.1:4440")]
    NoPort {
        /// The text.
        address: String,
    },
    /// There is nothing before the port.
    #[error("{address:?} has no host: write host:port, such as 127.0.0.1:4440")]
    NoHost {
        /// The text.
        address: String,
    },
    /// The port is not a number from 1 to 65535; 0 would be a different port at each start.
    #[error("the port of {address:?} is not a number from 1 to 65535")]
    BadPort {
        /// The text.
        address: String,
    },
    /// The host is neither a host name nor an IP address.
    #[error(
        "the host of {address:?} is neither a name nor an IP address: write host:port without \
         scheme or path, an IPv6 address in brackets, such as [::1]:4440"
    )]
    BadHost {
        /// The text.
        address: String,
    },
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let address: String = text.chars().take(300).collect();
        let Some((host, port)) = text.rsplit_once(':') else {
            return Err(AddressError::NoPort { address });
        };
        if port.is_empty() {
            return Err(AddressError::NoPort { address });
        }
        if host.is_empty() || host == "[]" {
            return Err(AddressError::NoHost { address });
        }
        let Some(host) = checked_host(host) else {
            return Err(AddressError::BadHost { address });
        };
        // `u16::from_str` alone would take "+4440".
        match port.parse() {
            Ok(number) if number != 0 && port.bytes().all(|b| b.is_ascii_digit()) => {
                Ok(Self { host: host.to_owned(), port: number })
            }
            _ => Err(AddressError::BadPort { address }),
        }
    }
}

fn checked_host(host: &str) -> Option<&str> {
    if let Some(inside) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return inside.parse::<Ipv6Addr>().is_ok().then_some(inside);
    }
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    (host.len() <= 253 && host.bytes().all(legal)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_printed_back() {
        for good in ["127.0.0.1:4440", "[::1]:1", "server_0.lan:65535", "localhost:80"] {
            assert_eq!(good.parse::<Address>().unwrap().to_string(), good);
        }
        let local: Address = "[::1]:4440".parse().unwrap();
        assert_eq!((local.host(), local.port()), ("::1", 4440));
        assert_eq!(local.resolve().unwrap(), ["[::1]:4440".parse().unwrap()]);
    }

    #[test]
    fn bad_addresses_say_what_to_write() {
        for (bad, part) in [
            ("", "has no port"),
            ("localhost", "has no port"),
            ("localhost:", "has no port"),
            (":4440", "has no host"),
            ("[]:4440", "has no host"),
            ("localhost:0", "1 to 65535"),
            ("localhost:65536", "1 to 65535"),
            ("localhost:+80", "1 to 65535"),
            ("localhost:http", "1 to 65535"),
            ("::1:4440", "in brackets"),
            ("[::1:4440", "in brackets"),
            ("http://a:80", "without scheme"),
            ("a b:80", "without scheme"),
        ] {
            let error = bad.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(part) && error.contains(&format!("{bad:?}")), "{bad}: {error}");
        }
    }

    #[test]
    fn a_failed_lookup_names_the_address() {
        let error = "no-such-host.invalid:4440".parse::<Address>().unwrap().resolve().unwrap_err();
        assert!(error.to_string().contains("no-such-host.invalid:4440"), "{error}");
    }
}
