//! The SHA-256 fingerprint by which a certificate is pinned.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

const PREFIX: &str = "sha256:";

/// SHA-256 of a certificate's DER bytes, written `sha256:` and 64 lowercase hex digits.
///
/// It is no secret: two operators compare it over a channel that they trust.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of the certificate with these DER bytes.
    #[must_use]
    pub fn of(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }

    /// The 32 bytes of the hash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is no fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a fingerprint: write `sha256:` and 64 hex digits, as `sordino` prints it")]
pub struct InvalidFingerprint {
    text: String,
}

impl FromStr for Fingerprint {
    type Err = InvalidFingerprint;

    /// Reads what `Display` writes, and also what `openssl x509 -fingerprint -sha256` prints after
    /// its `=`: digits in either case, no prefix, a colon between bytes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidFingerprint { text: text.chars().take(100).collect() };
        let digits = text.strip_prefix(PREFIX).unwrap_or(text).as_bytes();
        let width = match digits.len() {
            64 => 2,
            95 => 3,
            _ => return Err(invalid()),
        };
        let mut bytes = [0; 32];
        for (byte, group) in bytes.iter_mut().zip(digits.chunks(width)) {
            let (high, low) = (nibble(group[0]), nibble(group[1]));
            if group.get(2).is_some_and(|&separator| separator != b':') {
                return Err(invalid());
            }
            *byte = high.zip(low).map(|(high, low)| high << 4 | low).ok_or_else(invalid)?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printing_and_parsing_agree() {
        let fingerprint = Fingerprint::of(b"abc");
        let text = fingerprint.to_string();
        assert_eq!(text, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(text.parse(), Ok(fingerprint));
        assert_eq!(format!("{fingerprint:?}"), text);

        let of_openssl: Vec<_> =
            fingerprint.as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(of_openssl.join(":").parse(), Ok(fingerprint));
    }

    #[test]
    fn other_texts_are_refused() {
        let good = Fingerprint::of(b"abc").to_string();
        let long = format!("{good}0");
        let colons = ":".repeat(95);
        let wrong_separator = vec!["ab"; 32].join("-");
        let bad = ["", "sha256:", &good[..70], &long, "sha1:ab", &colons, &wrong_separator];
        for bad in bad {
            let error = bad.parse::<Fingerprint>().unwrap_err().to_string();
            assert!(error.contains("64 hex digits"), "{error}");
        }
        assert!(good.replace("ba78", "é78").parse::<Fingerprint>().is_err());
        assert!(good.replace("ba78", "+a78").parse::<Fingerprint>().is_err());
    }
}
