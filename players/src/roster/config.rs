//! Reads `config.json` and the certificates beside it.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::error::Category;
use sordino_graph::PlayerName;

use super::{Player, Roster, RosterError, is_driver};
use crate::identity::certificate_file;
use crate::{Address, Certificate, Fingerprint};

pub(super) fn load(config: &Path) -> Result<Roster, RosterError> {
    let mut players: Vec<Player> = Vec::new();
    let folder = config.parent().unwrap_or(Path::new(""));
    for (name, address) in entries(config)? {
        let fingerprint = pin(folder, &name)?.ok_or_else(|| RosterError::CertificateMissing {
            path: certificate_file(folder, &name),
            player: name.clone(),
        })?;
        players.push(Player { name, address, fingerprint });
    }
    let mut drivers = Vec::new();
    for name in drivers_with_certificates(folder) {
        drivers.extend(pin(folder, &name)?.map(|fingerprint| (name, fingerprint)));
    }
    Roster::checked(config.to_owned(), players.into(), drivers)
}

/// Names of the drivers of which there is a file, sorted.
fn drivers_with_certificates(folder: &Path) -> Vec<PlayerName> {
    let certificates = fs::read_dir(folder.join("certificates"));
    let files = certificates.into_iter().flatten().flatten().map(|entry| entry.path());
    let name = |path: PathBuf| {
        let pem = path.extension().is_some_and(|extension| extension == "pem");
        PlayerName::new(path.file_stem()?.to_str()?).ok().filter(|name| pem && is_driver(name))
    };
    let mut names: Vec<_> = files.filter_map(name).collect();
    names.sort_unstable();
    names
}

/// The entries of the file, checked one by one. All of them come before any certificate, so that
/// a bad file is never reported as a lack of certificates.
fn entries(config: &Path) -> Result<Vec<(PlayerName, Address)>, RosterError> {
    let text = fs::read_to_string(config).map_err(|source| match source.kind() {
        ErrorKind::NotFound => RosterError::ConfigMissing { config: config.to_owned() },
        _ => RosterError::ConfigUnreadable { config: config.to_owned(), source },
    })?;
    let Entries(pairs) = serde_json::from_str(&text).map_err(|source| {
        let config = config.to_owned();
        let (line, column) = (source.line(), source.column());
        match source.classify() {
            Category::Data => RosterError::NotARoster { config, line, column, source },
            _ => RosterError::NotJson { config, line, column, source },
        }
    })?;
    let mut entries: Vec<(PlayerName, Address)> = Vec::new();
    for (name, address) in pairs {
        let config = || config.to_owned();
        let name = PlayerName::new(&name)
            .map_err(|source| RosterError::BadName { config: config(), source })?;
        if is_driver(&name) {
            return Err(RosterError::DriverIsNoPlayer { config: config() });
        }
        if entries.iter().any(|(earlier, _)| *earlier == name) {
            return Err(RosterError::NameTwice { config: config(), name });
        }
        let address = address.parse().map_err(|source| RosterError::BadAddress {
            config: config(),
            player: name.clone(),
            source,
        })?;
        entries.push((name, address));
    }
    Ok(entries)
}

/// The fingerprint of a player's certificate; `None` if there is no file.
fn pin(folder: &Path, player: &PlayerName) -> Result<Option<Fingerprint>, RosterError> {
    let path = certificate_file(folder, player);
    let player = player.clone();
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(RosterError::CertificateUnreadable { player, path, source }),
    };
    match Certificate::from_pem(&text) {
        Err(source) => Err(RosterError::CertificateInvalid { player, path, source }),
        Ok(certificate) if !certificate.names_player(&player) => {
            let found = certificate.names().to_vec();
            Err(RosterError::CertificateNamesAnother { player, path, found })
        }
        Ok(certificate) => Ok(Some(certificate.fingerprint())),
    }
}

/// The pairs of a JSON object, in order and with repetitions: a map type would let the last of
/// two entries win in silence, and the order of the file would be lost.
struct Entries(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of player name to \"host:port\"")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Entries, M::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Entries(pairs))
    }
}
