//! Files that appear whole or not at all.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// How the names of files begin that have no lasting name yet: what a crash may leave behind.
pub(crate) const STAGED: &str = ".new-";

/// The `parts`, one after the other, on disk in a file beside `path` that has no lasting name yet.
/// The folder is made, with `folder_mode`, if it is not there.
pub(crate) fn staged(
    path: &Path,
    parts: &[&[u8]],
    mode: u32,
    folder_mode: u32,
) -> io::Result<NamedTempFile> {
    let folder = folder(path);
    create_folder(folder, folder_mode)?;
    let mut builder = Builder::new();
    builder.prefix(STAGED);
    // The mode is set at creation: a key is at no moment readable by others.
    #[cfg(unix)]
    builder.permissions(<Permissions as std::os::unix::fs::PermissionsExt>::from_mode(mode));
    let mut file = builder.tempfile_in(folder)?;
    parts.iter().try_for_each(|part| file.write_all(part))?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Gives a file its lasting name, which it has from then on also after a power failure.
pub(crate) fn put(file: NamedTempFile, path: &Path, overwrite: bool) -> io::Result<()> {
    let done = if overwrite { file.persist(path) } else { file.persist_noclobber(path) };
    done.map_err(|failed| failed.error)?;
    File::open(folder(path))?.sync_all()
}

/// Removes what a crash has left of files that never got their names.
pub(crate) fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|e| e.file_name().to_string_lossy().starts_with(STAGED)) {
        // One that cannot be removed is in nobody's way.
        let _ = fs::remove_file(entry.path());
    }
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn create_folder(folder: &Path, mode: u32) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
    builder.create(folder)
}
