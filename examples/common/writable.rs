//! Whether files can be written, asked before anything starts.

use std::fs;
use std::path::Path;

/// Checks that files can be put into `folder`, which need not exist yet, and leaves nothing.
pub fn can_hold(folder: &Path) -> Result<(), String> {
    let absolute = std::path::absolute(folder).map_err(|e| format!("bad folder: {e}"))?;
    let existing = absolute.ancestors().find(|ancestor| fs::symlink_metadata(ancestor).is_ok());
    let existing = existing.unwrap_or(&absolute);
    if !existing.is_dir() {
        return Err(format!(
            "cannot write into {}: {} is no folder",
            folder.display(),
            existing.display()
        ));
    }
    // What the system says of permissions is not all: only writing tells.
    let probe = existing.join(format!(".sordino-{}", std::process::id()));
    fs::File::create_new(&probe)
        .and_then(|_| fs::remove_file(&probe))
        .map_err(|e| format!("cannot write into {}: {e}", folder.display()))
}

/// Checks that `file` can be written, and leaves it as it is.
pub fn can_be_written(file: &Path) -> Result<(), String> {
    // A device or a link would be replaced.
    if fs::symlink_metadata(file).is_ok_and(|data| !data.is_file()) || file.file_name().is_none() {
        return Err(format!("{} is there and no plain file", file.display()));
    }
    can_hold(file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(".".as_ref()))
}
