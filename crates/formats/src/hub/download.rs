//! Files from the hub into the cache, continued where they broke off.
//!
//! ```text
//! HEAD ENDPOINT/ORG/NAME/resolve/REVISION/FILE   → commit, ETag, size
//! GET  the same, Range: bytes=ARRIVED-           → the rest, onto blobs/ETAG.incomplete
//! ```
//!
//! Only when all bytes have arrived does a file take its name, and does the snapshot link to it. Two processes that
//! want one file take turns.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use super::{Cache, FILES, HubError, HubId, is_file_name};
use crate::atomic;

/// How much of a file has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The file.
    pub file: &'static str,
    /// Bytes that are there.
    pub done: u64,
    /// Bytes in all.
    pub total: u64,
}

/// Where the hub is, unless `HF_ENDPOINT` says otherwise.
const ENDPOINT: &str = "https://huggingface.co";

/// Attempts in a row that may bring nothing before the download is given up.
const ATTEMPTS: u32 = 5;

/// Links within the hub that are followed to what it says of a file.
const HOPS: u32 = 5;

/// Bytes between two reports.
const PIECE: usize = 1 << 18;

/// How long the first break lasts between two attempts that brought nothing; each further one is twice as long.
const BREAK: Duration = Duration::from_millis(200);

/// Brings the files of a repository into the cache and gives the folder of the snapshot. Files that are there stay,
/// and what has arrived of one is not asked for again.
///
/// # Errors
/// [`HubError::Answer`] when the hub cannot be reached, does not know the repository, or breaks off time and again;
/// [`HubError::Io`].
pub fn fetch(
    cache: &Cache,
    id: &HubId,
    report: &mut dyn FnMut(Arrived),
) -> Result<PathBuf, HubError> {
    let endpoint = std::env::var("HF_ENDPOINT").ok();
    let endpoint = endpoint.filter(|url| !url.is_empty());
    fetch_from(
        endpoint.as_deref().unwrap_or(ENDPOINT),
        cache,
        id,
        BREAK,
        report,
    )
}

fn fetch_from(
    endpoint: &str,
    cache: &Cache,
    id: &HubId,
    pause: Duration,
    report: &mut dyn FnMut(Arrived),
) -> Result<PathBuf, HubError> {
    let config = || {
        Agent::config_builder()
            .timeout_connect(Some(Duration::from_secs(30)))
            .timeout_recv_response(Some(Duration::from_secs(60)))
            .http_status_as_error(false)
    };
    let download = Download {
        cache,
        id,
        endpoint: endpoint.trim_end_matches('/'),
        pause,
        agent: config().build().into(),
        asking: config().max_redirects(0).build().into(),
    };
    let mut commit = None;
    for file in FILES {
        // All files of one commit, whatever happens to the branch meanwhile.
        let revision = commit.as_deref().unwrap_or(id.revision());
        commit = Some(download.file(file, revision, report)?);
    }
    let commit = commit.unwrap_or_default();
    let repository = cache.repository(id);
    if commit != id.revision() {
        let reference = repository.join("refs").join(id.revision());
        make_folder_of(&reference)?;
        atomic::write(&reference, commit.as_bytes()).map_err(io_error(&reference))?;
    }
    Ok(repository.join("snapshots").join(commit))
}

struct Download<'a> {
    cache: &'a Cache,
    id: &'a HubId,
    endpoint: &'a str,
    pause: Duration,
    /// Follows links, also to where the hub keeps large files.
    agent: Agent,
    /// Does not.
    asking: Agent,
}

/// What the hub says of a file.
struct Facts {
    commit: String,
    etag: String,
    size: u64,
}

impl Download<'_> {
    /// Brings one file, and gives the commit that it is of.
    fn file(
        &self,
        file: &'static str,
        revision: &str,
        report: &mut dyn FnMut(Arrived),
    ) -> Result<String, HubError> {
        let (id, revision) = (self.id, revision.replace('/', "%2F"));
        let url = format!(
            "{}/{}/{}/resolve/{revision}/{file}",
            self.endpoint, id.organisation, id.name
        );
        let Facts { commit, etag, size } = self.facts(file, &url)?;
        let repository = self.cache.repository(id);
        let blob = repository.join("blobs").join(&etag);
        if !blob.is_file() {
            make_folder_of(&blob)?;
            let mut report = |done| {
                report(Arrived {
                    file,
                    done,
                    total: size,
                });
            };
            self.bring(file, &url, size, &blob, &mut report)?;
        }
        let link = repository.join("snapshots").join(&commit).join(file);
        make_folder_of(&link)?;
        link_to_blob(&link, &etag, &blob).map_err(io_error(&link))?;
        Ok(commit)
    }

    fn facts(&self, file: &'static str, url: &str) -> Result<Facts, HubError> {
        let mut url = url.to_owned();
        for _ in 0..HOPS {
            let answer = self.asking.head(&url).call();
            let answer = answer.map_err(|error| self.answer(file, error.to_string()))?;
            let status = answer.status().as_u16();
            let headers = answer.headers();
            // A link within the hub is followed; one to elsewhere leads to the bytes, and all is said here.
            match text(headers, "location").filter(|to| status / 100 == 3 && to.starts_with('/')) {
                Some(to) => url = format!("{}{to}", self.endpoint),
                None if status / 100 == 2 || status / 100 == 3 => {
                    return self.read_facts(file, headers);
                }
                None => return Err(self.refusal(file, &answer)),
            }
        }
        Err(self.answer(file, "the hub sends from one place to the next".into()))
    }

    fn read_facts(&self, file: &'static str, headers: &HeaderMap) -> Result<Facts, HubError> {
        let either = |one, other| text(headers, one).or_else(|| text(headers, other));
        let name = |value: Option<&str>| {
            let value = value.map(|value| value.trim_start_matches("W/").trim_matches('"'));
            value.filter(|value| is_file_name(value)).map(str::to_owned)
        };
        let facts = (
            name(text(headers, "x-repo-commit")),
            name(either("x-linked-etag", "etag")),
            either("x-linked-size", "content-length").and_then(|size| size.parse().ok()),
        );
        match facts {
            (Some(commit), Some(etag), Some(size)) => Ok(Facts { commit, etag, size }),
            _ => Err(self.answer(file, "the answer lacks commit, ETag or size".into())),
        }
    }

    /// Brings what is missing of a file, in as many attempts as it takes while each brings something.
    fn bring(
        &self,
        file: &'static str,
        url: &str,
        size: u64,
        blob: &Path,
        report: &mut dyn FnMut(u64),
    ) -> Result<(), HubError> {
        let mut path = blob.as_os_str().to_owned();
        path.push(".incomplete");
        let path = PathBuf::from(path);
        let failed = io_error(&path);
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).write(true);
        let mut part = options.open(&path).map_err(&failed)?;
        part.lock().map_err(&failed)?;
        if blob.is_file() {
            // Another process brought it while this one waited; what it left here is empty and new.
            return fs::remove_file(&path).map_err(&failed);
        }
        let mut arrived = part.metadata().map_err(&failed)?.len();
        if arrived > size {
            part.set_len(0).map_err(&failed)?;
            arrived = 0;
        }
        let mut in_vain = 0;
        while arrived < size {
            report(arrived);
            let before = arrived;
            let broken = self.attempt(file, url, size, &mut part, &mut arrived, report)?;
            in_vain = if arrived > before { 0 } else { in_vain + 1 };
            if let Some(reason) = broken.filter(|_| in_vain >= ATTEMPTS) {
                return Err(self.answer(
                    file,
                    format!("{reason} ({arrived} of {size} bytes are there; the next attempt goes on from them)"),
                ));
            }
            if arrived < size {
                std::thread::sleep(self.pause * (1 << in_vain));
            }
        }
        report(arrived);
        part.sync_all().map_err(&failed)?;
        fs::rename(&path, blob).map_err(failed)
    }

    /// One connection: appends what it brings, and says what ended it early.
    fn attempt(
        &self,
        file: &'static str,
        url: &str,
        size: u64,
        part: &mut File,
        arrived: &mut u64,
        report: &mut dyn FnMut(u64),
    ) -> Result<Option<String>, HubError> {
        let failed = io_error(self.cache.folder());
        let request = self
            .agent
            .get(url)
            .header("Range", format!("bytes={arrived}-"));
        let mut answer = match request.call() {
            Ok(answer) => answer,
            Err(error) => return Ok(Some(error.to_string())),
        };
        match answer.status().as_u16() {
            206 if starts_at(&answer, *arrived) => {}
            // The whole file, from whoever does not know ranges.
            200 => *arrived = 0,
            status @ 500..=599 => return Ok(Some(format!("HTTP {status}"))),
            _ => return Err(self.refusal(file, &answer)),
        }
        part.set_len(*arrived).map_err(&failed)?;
        part.seek(SeekFrom::Start(*arrived)).map_err(&failed)?;
        let mut body = answer.body_mut().as_reader();
        let mut piece = vec![0; PIECE];
        while *arrived < size {
            let room = piece
                .len()
                .min(usize::try_from(size - *arrived).unwrap_or(usize::MAX));
            let count = match body.read(&mut piece[..room]) {
                Ok(0) => return Ok(Some("the connection ended early".into())),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Ok(Some(error.to_string())),
            };
            part.write_all(&piece[..count]).map_err(&failed)?;
            *arrived += count as u64;
            report(*arrived);
        }
        Ok(None)
    }

    fn refusal(&self, file: &'static str, answer: &Response<Body>) -> HubError {
        let code = text(answer.headers(), "x-error-code").unwrap_or_default();
        let status = answer.status();
        self.answer(
            file,
            format!("the hub answers {status} {code}")
                .trim_end()
                .to_owned(),
        )
    }

    fn answer(&self, file: &'static str, reason: String) -> HubError {
        HubError::Answer {
            id: Box::new(self.id.clone()),
            file,
            reason,
        }
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a part of a file begins where it was asked to: `Content-Range: bytes FIRST-LAST/SIZE`.
fn starts_at(answer: &Response<Body>, place: u64) -> bool {
    let range = text(answer.headers(), "content-range").unwrap_or_default();
    let first = range.trim_start_matches("bytes ").split('-').next();
    first.and_then(|first| first.parse().ok()) == Some(place)
}

fn make_folder_of(path: &Path) -> Result<(), HubError> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(io_error(folder))
}

/// A link from the snapshot to the file, relative, so that the cache can be moved; a copy where there are no links.
fn link_to_blob(link: &Path, etag: &str, blob: &Path) -> io::Result<()> {
    match fs::remove_file(link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    #[cfg(unix)]
    {
        let _ = blob;
        std::os::unix::fs::symlink(Path::new("../../blobs").join(etag), link)
    }
    #[cfg(not(unix))]
    {
        let _ = etag;
        fs::copy(blob, link).map(|_| ())
    }
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> HubError + use<> {
    let path = path.to_path_buf();
    move |source| HubError::Io {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests;
