//! Files that are whole or absent, whatever moment the process or the machine stops.
//!
//! The bytes go to a temporary file in the same folder (a rename is atomic within one file system only), are
//! forced to the disk, and then take the final name in one step. The folder is forced to the disk last, because
//! the new name lives in the folder and not in the file: without it a power cut could bring the old file back
//! after the caller was told that the new one is safe.
//!
//! A link is written through: its target is replaced and the link stays. What is there and is no regular file (a
//! folder, a device, a pipe) is refused, because a rename would put a file in its place. So is a name of an open file,
//! such as `/dev/stdout`: what was written to that file before would be gone.
//!
//! Files that belong together are written as [`Draft`]s first and published when all of them are there.
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
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes `bytes` under `path`, replacing what was there in one step.
///
/// # Errors
/// What the operating system says, or [`io::ErrorKind::InvalidInput`] for a `path` that is no regular file; `path`
/// then still holds its former content, and no temporary stays behind.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |file| file.write_all(bytes))
}

/// As [`write()`], for content that is produced piece by piece.
///
/// # Errors
/// What `fill` or the operating system says; `path` then still holds its former content.
pub fn write_with(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<()> {
    Draft::write(path, fill)?.publish()
}

/// A file that is on the disk, but not yet under its name. Dropped, it leaves nothing behind.
///
/// ```
/// use convolve_formats::atomic::Draft;
/// use std::io::Write;
/// # let folder = tempfile::tempdir()?;
/// # let (table, index) = (folder.path().join("table"), folder.path().join("index"));
/// let drafts = [(&table, b"b,a"), (&index, b"1,0")]
///     .map(|(path, content)| Draft::write(path, |file| file.write_all(content)));
/// assert!(!table.exists());
/// for draft in drafts {
///     draft?.publish()?;
/// }
/// assert!(table.exists() && index.exists());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    temporary: PathBuf,
}

impl Draft {
    /// Writes the content, piece by piece.
    ///
    /// # Errors
    /// What `fill` or the operating system says, or [`io::ErrorKind::InvalidInput`] for a `path` that is no regular
    /// file.
    pub fn write(path: &Path, fill: impl FnOnce(&mut File) -> io::Result<()>) -> io::Result<Self> {
        let path = destination(path)?;
        let temporary = temporary_beside(&path)?;
        let mut file = File::create_new(&temporary)?;
        let draft = Self { path, temporary };
        fill(&mut file)?;
        file.sync_all()?;
        Ok(draft)
    }

    /// Gives the file its name, replacing what was there in one step.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn publish(self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.path)?;
        sync_folder(folder_of(&self.path))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // A published one is no longer there.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Removes what killed processes left behind while they wrote `path`. Only for a caller who knows that no other
/// process writes it now. What cannot be removed stays: it is in nobody's way.
pub fn remove_abandoned(path: &Path) {
    let (Some(prefix), Ok(entries)) = (temporary_prefix(path), fs::read_dir(folder_of(path)))
    else {
        return;
    };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name();
        let number = (name.as_encoded_bytes())
            .strip_prefix(prefix.as_encoded_bytes())
            .and_then(|rest| rest.strip_suffix(PARTIAL.as_bytes()));
        let ours = |byte: &u8| byte.is_ascii_digit() || *byte == b'-';
        if number.is_some_and(|number| number.iter().all(ours)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// More links than this in a row are a circle; Linux has the same limit.
const MAX_LINKS: usize = 40;

/// The regular file that a path leads to, or where it would be made: the same for all spellings of one place.
///
/// # Errors
/// A folder that is not there, or a path where nothing can be [written](write()).
pub fn destination(path: &Path) -> io::Result<PathBuf> {
    match fs::metadata(path) {
        Ok(there) if there.is_file() => {}
        Ok(_) => return Err(invalid("exists and is not a regular file")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    // Step by step, because links may lead to nothing yet.
    let mut end = path.to_path_buf();
    for _ in 0..MAX_LINKS {
        let folder = folder_of(&end).canonicalize()?;
        if holds_open_files(&folder) {
            return Err(invalid(
                "is the name of an open file, which cannot be replaced; name the file itself",
            ));
        }
        if ["/proc", "/sys"]
            .iter()
            .any(|of_kernel| folder.starts_with(of_kernel))
        {
            return Err(invalid(
                "lies where the system tells of itself, where no file is kept",
            ));
        }
        let name = end.file_name();
        end = folder.join(name.ok_or_else(|| invalid("does not name a file"))?);
        match fs::read_link(&end) {
            Ok(target) => end = folder.join(target),
            Err(_) if folder == Path::new("/dev") => {
                return Err(invalid("lies among devices, where no file is kept"));
            }
            Err(_) => return Ok(end),
        }
    }
    Err(invalid("leads through too many links"))
}

/// Whether names in a folder stand for what processes have open, as `/proc/self/fd/1`, to which `/dev/stdout` leads.
fn holds_open_files(folder: &Path) -> bool {
    let of_process = folder.starts_with("/proc") && folder.ends_with("fd");
    folder == Path::new("/dev/fd") || of_process
}

const PARTIAL: &str = ".partial";

/// `NAME` is written through `.NAME.PROCESS-COUNT.partial`, which no other write shares.
fn temporary_beside(path: &Path) -> io::Result<PathBuf> {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let count = WRITES.fetch_add(1, Ordering::Relaxed);
    let mut name = temporary_prefix(path).ok_or_else(|| invalid("does not name a file"))?;
    name.push(format!("{}-{count}{PARTIAL}", std::process::id()));
    let temporary = folder_of(path).join(name);
    // Whoever had this number among processes before is dead.
    match fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(temporary),
    }
}

fn temporary_prefix(path: &Path) -> Option<OsString> {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name()?);
    prefix.push(".");
    Some(prefix)
}

fn invalid(text: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
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
    fn abandoned_temporaries_of_one_file_are_removed_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let others = [".state.more.7-1.partial", ".state.partial.txt", "state"];
        for name in [
            &others[..],
            &[".state.7-0.partial", ".state.123-45.partial"],
        ]
        .concat()
        {
            fs::write(folder.path().join(name), b"left by a killed process").unwrap();
        }
        remove_abandoned(&folder.path().join("state"));
        assert_eq!(names_in(folder.path()), others);
    }

    /// Writers of one file must not share a temporary, or one renames what another is still filling.
    #[test]
    fn writers_at_the_same_time_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        std::thread::scope(|scope| {
            for value in 1..=4_u8 {
                let path = &path;
                scope.spawn(move || {
                    for _ in 0..20 {
                        write(path, &vec![value; 1 << (10 + value)]).unwrap();
                    }
                });
            }
        });
        let content = fs::read(&path).unwrap();
        assert_eq!(content, vec![content[0]; 1 << (10 + content[0])]);
        assert_eq!(names_in(folder.path()), ["state"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_are_written_through_and_stay() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("store")).unwrap();
        fs::write(at("store/old"), b"old").unwrap();
        symlink("store/old", at("to-old")).unwrap();
        symlink("store/new", at("to-new")).unwrap();
        symlink("to-new", at("to-link")).unwrap();
        for (link, target) in [("to-old", "store/old"), ("to-link", "store/new")] {
            write(&at(link), link.as_bytes()).unwrap();
            assert!(at(link).is_symlink(), "{link}");
            assert_eq!(fs::read(at(target)).unwrap(), link.as_bytes());
        }
        symlink("circle", at("circle")).unwrap();
        assert!(write(&at("circle"), b"x").is_err());
        assert_eq!(names_in(&at("store")), ["new", "old"]);
    }

    #[test]
    fn what_is_no_regular_file_is_refused_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = vec![folder.path().to_path_buf()];
        if cfg!(unix) {
            let pipe = folder.path().join("pipe");
            assert!(
                Command::new("mkfifo")
                    .arg(&pipe)
                    .status()
                    .unwrap()
                    .success()
            );
            paths.push(pipe);
            paths.push("/dev/null".into());
        }
        for path in paths {
            let error = write(&path, b"x").unwrap_err();
            assert_eq!(error.to_string(), "exists and is not a regular file");
            assert!(!path.is_file(), "{}", path.display());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_of_an_open_file_is_refused_and_the_file_stays() {
        use std::os::fd::AsRawFd;
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        fs::write(&log, b"written before").unwrap();
        let open = File::options().append(true).open(&log).unwrap();
        let number = open.as_raw_fd();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(format!("/dev/fd/{number}"), &link).unwrap();
        for path in [
            format!("/dev/fd/{number}"),
            format!("/proc/self/fd/{number}"),
        ] {
            let error = write(Path::new(&path), b"x").unwrap_err().to_string();
            assert!(error.starts_with("is the name of an open file"), "{error}");
        }
        assert!(write(&link, b"x").is_err());
        assert_eq!(fs::read(&log).unwrap(), b"written before");
        let error = write(Path::new("/dev/full.png"), b"x").unwrap_err();
        assert_eq!(
            error.to_string(),
            "lies among devices, where no file is kept"
        );
    }

    #[cfg(unix)]
    #[test]
    fn spellings_of_one_place_lead_to_one_destination() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("below")).unwrap();
        std::os::unix::fs::symlink("below/new", at("link")).unwrap();
        let spellings = ["below/new", "below/../below/./new", "link"];
        for exists in [false, true] {
            let places = spellings.map(|name| destination(&at(name)).unwrap());
            assert!(places.iter().all(|place| *place == places[0]), "{places:?}");
            assert_ne!(destination(&at("new")).unwrap(), places[0]);
            if !exists {
                fs::write(at("below/new"), b"").unwrap();
            }
        }
        assert!(destination(&at("absent/new")).is_err());
    }

    #[test]
    fn a_draft_that_is_not_published_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let draft = Draft::write(&path, |file| file.write_all(b"x")).unwrap();
        assert_eq!(names_in(folder.path()).len(), 1);
        drop(draft);
        assert!(names_in(folder.path()).is_empty());
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
        remove_abandoned(&path);
        assert_eq!(names_in(folder.path()), ["state"]);
    }
}
