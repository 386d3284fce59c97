//! What a side says when it refuses the certificate of the other.

use std::fmt;
use std::sync::Arc;

use rustls::{CertificateError, Error, OtherError};
use sordino_graph::PlayerName;

use crate::Fingerprint;
use crate::certificate::Moment;

/// Why the certificate of a peer was refused.
///
/// Over QUIC the text reaches the peer too, as the reason of the closed connection. It names
/// nothing of this side's disk, and no player but the one that was expected or claimed and the
/// one whose certificate came.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are what the messages say of them")]
pub enum Refusal {
    /// The peer that is, or says it is, `player` holds another certificate than the pinned one.
    #[error(
        "{player} was expected with the certificate {expected}, and the peer has {received}, {}",
        whose(.player, .received_is.as_ref())
    )]
    PinMismatch {
        player: PlayerName,
        expected: Fingerprint,
        received: Fingerprint,
        /// The player for whom the received certificate is pinned, if any.
        received_is: Option<PlayerName>,
    },

    /// The certificate is nobody's, and names nobody of the roster.
    #[error(
        "the peer has the certificate {received}, which names {}, and no such player is in the \
         roster: if it takes part, add it to config.json, and its certificate to certificates/",
        claim(.claimed.as_ref())
    )]
    Unknown {
        received: Fingerprint,
        /// The name in the certificate, if it is a legal player name. Nothing proves it.
        claimed: Option<PlayerName>,
    },

    /// The pinned certificate is no longer valid.
    #[error(
        "the certificate of {player} ({fingerprint}, as pinned) expired at {until}, and it is \
         {now}: make a new one with `sordino keygen {player} --force` where {player} runs, and \
         hand certificates/{player}.pem to the other parties"
    )]
    Expired { player: PlayerName, fingerprint: Fingerprint, until: Moment, now: Moment },

    /// The pinned certificate is not valid yet.
    #[error(
        "the certificate of {player} ({fingerprint}, as pinned) is valid only from {from}, and \
         here it is {now}: set the clock that is wrong"
    )]
    NotYetValid { player: PlayerName, fingerprint: Fingerprint, from: Moment, now: Moment },
}

impl Refusal {
    /// The refusal in an error that rustls returned on the side that refused.
    #[must_use]
    pub fn of(error: &Error) -> Option<&Self> {
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
                inner.downcast_ref()
            }
            _ => None,
        }
    }

    pub(super) fn into_rustls(self) -> Error {
        CertificateError::Other(OtherError(Arc::new(self))).into()
    }
}

const OPEN: &str = "⟦";
const CLOSE: &str = "⟧";

/// The text of a refusal in the text of an error, such as a `quinn::ConnectionError` of either
/// side: quinn keeps no more of a rustls error than its text, with rustls' own words around it.
///
/// On the side that was refused, the text is what the peer chose to send: log it as such. Control
/// characters are replaced and it ends after 1000 characters.
#[must_use]
pub fn refusal_text(error: &str) -> Option<String> {
    let (_, rest) = error.split_once(OPEN)?;
    // A reason that was cut to fit a packet has no end.
    let text = rest.split_once(CLOSE).map_or(rest, |(text, _)| text);
    let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    Some(text.chars().take(1000).map(printable).collect())
}

/// rustls puts the `Debug` form into its own messages, so it is the text, and marked.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{OPEN}{self}{CLOSE}")
    }
}

fn whose(player: &PlayerName, received_is: Option<&PlayerName>) -> String {
    match received_is {
        Some(other) => format!(
            "which is that of {other}: correct the address of {player} in config.json, or the \
             files in certificates/"
        ),
        None => format!(
            "which is nobody's: if {player} has a new certificate, copy its \
             certificates/{player}.pem, and compare the fingerprint with its operator's"
        ),
    }
}

fn claim(claimed: Option<&PlayerName>) -> String {
    claimed.map_or_else(|| "no player".into(), ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_survives_rustls() {
        let refusal = Refusal::PinMismatch {
            player: PlayerName::new("server0").unwrap(),
            expected: Fingerprint::of(b"a"),
            received: Fingerprint::of(b"b"),
            received_is: None,
        };
        let error = refusal.clone().into_rustls();
        assert_eq!(Refusal::of(&error), Some(&refusal));
        assert_eq!(refusal_text(&error.to_string()), Some(refusal.to_string()));
        assert_eq!(
            refusal_text(&format!("aborted by peer: {error} (x)")),
            Some(refusal.to_string())
        );
        assert_eq!(refusal_text("timed out"), None);
        assert!(Refusal::of(&Error::DecryptError).is_none());
    }

    #[test]
    fn a_peer_cannot_write_into_the_terminal_or_without_end() {
        let hostile = format!("{OPEN}\x1b[2J{}", "a".repeat(5000));
        let text = refusal_text(&hostile).unwrap();
        assert_eq!(text.chars().count(), 1000);
        assert!(text.starts_with("\u{fffd}[2Ja"));
    }
}
