//! Files that are whole or absent, whatever moment the process or the machine stops.
//!
//! The bytes go to a temporary file in the same folder (a rename is atomic within one file system only), are
//! forced to the disk, and then take the final name in one step. The folder is forced to the disk last, because
//! the new name lives in the folder and not in the file: without it a power cut could bring the old file back
//! after the caller was told that the new one is safe.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("last.safetensors");
//! convolve_formats::atomic::write(&path, b"all of it, or nothing")?;
//! assert_eq!(std::fs::read(&path)?, b"all of it, or nothing");
//! # Ok::<(), std::io::Error>(())
//! ```

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Writes `bytes` under `path`, replacing what was there in one step.
///
/// # Errors
/// What the operating system says; `path` then still holds its former content, and no temporary stays behind.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// As [`write()`], for content that is produced piece by piece.
///
/// # Errors
/// What `fill` or the operating system says; `path` then still holds its former content.
pub fn write_with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    let temporary = temporary_beside(path)?;
    let written = File::create(&temporary).and_then(|mut file| {
        fill(&mut file)?;
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(&temporary, path)) {
        // The first error is the one to report; a temporary that cannot be removed is overwritten next time.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_folder(folder_of(path))
}

/// `NAME` is written through `.NAME.partial`. The name is fixed, so that what a killed process left behind is
/// overwritten by the next write instead of piling up.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{} does not name a file", path.display()),
        )
    })?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    temporary.push(".partial");
    Ok(folder_of(path).join(temporary))
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened as a file; the rename itself is journalled.
#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::Duration;

    fn names_in(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_the_former_content_and_leaves_only_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        write(&path, b"first, and longer").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names_in(folder.path()), ["state"]);
    }

    #[test]
    fn a_failing_write_keeps_the_former_content_and_removes_the_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        write(&path, b"good").unwrap();
        let error = write_with(&path, |file| {
            file.write_all(b"half of the n")?;
            Err(io::Error::other("disk full"))
        })
        .unwrap_err();
        assert_eq!(error.to_string(), "disk full");
        assert_eq!(fs::read(&path).unwrap(), b"good");
        assert_eq!(names_in(folder.path()), ["state"]);
    }

    #[test]
    fn a_stale_temporary_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(
            folder.path().join(".state.partial"),
            b"left by a killed process, long",
        )
        .unwrap();
        write(&folder.path().join("state"), b"new").unwrap();
        assert_eq!(fs::read(folder.path().join("state")).unwrap(), b"new");
        assert_eq!(names_in(folder.path()), ["state"]);
    }

    #[test]
    fn a_missing_folder_and_a_path_without_a_name_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(&folder.path().join("absent/state"), b"x").is_err());
        assert!(write(Path::new("/"), b"x").is_err());
    }

    /// The test binary starts itself as a writer of ever new generations and kills it at scattered moments. Each
    /// generation is one byte value repeated, so half a file or a mixture of two would show.
    #[test]
    fn a_kill_at_any_moment_leaves_a_whole_file() {
        const WRITER: &str = "CONVOLVE_TEST_ATOMIC_WRITER";
        const LENGTH: usize = 300_000;
        if let Some(path) = std::env::var_os(WRITER) {
            for generation in (1..=250_u8).cycle() {
                write(Path::new(&path), &vec![generation; LENGTH]).unwrap();
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        write(&path, &[0; LENGTH]).unwrap();
        for kill in 0..12_u64 {
            let mut writer = Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "atomic::tests::a_kill_at_any_moment_leaves_a_whole_file",
                ])
                .env(WRITER, &path)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(Duration::from_micros(15_000 + kill * 1_370));
            writer.kill().unwrap();
            writer.wait().unwrap();
            let content = fs::read(&path).unwrap();
            assert_eq!(content.len(), LENGTH);
            assert!(content.iter().all(|byte| *byte == content[0]));
        }
        assert_ne!(
            fs::read(&path).unwrap()[0],
            0,
            "no writer ever came to write"
        );
        write(&path, b"after all the kills").unwrap();
        assert_eq!(names_in(folder.path()), ["state"]);
    }
}
