//! Published weights on the Hugging Face hub: their names, the cache that all programs share, and, with the feature
//! `hub`, the way there.
//!
//! ```text
//! CACHE/models--ORG--NAME/refs/main                      the commit that a branch or tag stood for
//!                         snapshots/COMMIT/config.json   links to ↓
//!                         blobs/ETAG                     the files, by what is in them
//!                         blobs/ETAG.incomplete          what has arrived of one
//! ```
//!
//! The cache is where `HF_HUB_CACHE` says, else `hub` in `HF_HOME`, else in `~/.cache/huggingface`. What it holds is
//! used as it is, without a question to the hub.

// Its tests need no TLS, so they run without the feature.
#[cfg(any(feature = "hub", test))]
mod download;

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

#[cfg(any(feature = "hub", test))]
pub use download::{Arrived, fetch};

/// What a name on the hub begins with.
pub const PREFIX: &str = "hf-hub:";

/// The files of a repository that are read.
pub const FILES: [&str; 2] = ["config.json", "model.safetensors"];

/// Weights on the hub: `hf-hub:ORG/NAME`, or `hf-hub:ORG/NAME@REVISION` for a branch, a tag or a commit.
///
/// ```
/// use convolve_formats::hub::HubId;
/// let id: HubId = "hf-hub:timm/resnet18.a1_in1k".parse()?;
/// assert_eq!((id.name(), id.revision()), ("resnet18.a1_in1k", "main"));
/// assert!("hf-hub:../../etc".parse::<HubId>().is_err());
/// # Ok::<(), convolve_formats::hub::HubError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubId {
    organisation: String,
    name: String,
    revision: Option<String>,
}

/// Why weights on the hub cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HubError {
    /// No name of the hub.
    #[error("'{text}' is not hf-hub:ORG/NAME or hf-hub:ORG/NAME@REVISION")]
    Id {
        /// What was given.
        text: String,
    },
    /// Neither the cache's place nor a home folder is known.
    #[error("no place for the cache: none of HF_HUB_CACHE, HF_HOME and HOME is set")]
    NoCache,
    /// Not in the cache, and the hub is not asked.
    #[error("{id}: not in the cache {}; {reason}", cache.display())]
    NotCached {
        /// What was asked for.
        id: Box<HubId>,
        /// Where it was looked for.
        cache: PathBuf,
        /// Why the hub is not asked.
        reason: &'static str,
    },
    /// The hub, or what answers in its place, gives no file.
    #[error("{id}: {file}: {reason}")]
    Answer {
        /// What was asked for.
        id: Box<HubId>,
        /// The file of the repository.
        file: &'static str,
        /// What the answer was.
        reason: String,
    },
    /// The operating system refused a file of the cache.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

impl HubId {
    /// The organisation or person, `timm`.
    pub fn organisation(&self) -> &str {
        &self.organisation
    }

    /// The repository, `resnet18.a1_in1k`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Branch, tag or commit; `main` if none was given.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }
}

impl FromStr for HubId {
    type Err = HubError;

    fn from_str(text: &str) -> Result<Self, HubError> {
        let wrong = || HubError::Id {
            text: text.to_owned(),
        };
        let rest = text.strip_prefix(PREFIX).ok_or_else(wrong)?;
        let (repository, revision) = match rest.split_once('@') {
            Some((repository, revision)) => (repository, Some(revision)),
            None => (rest, None),
        };
        let (organisation, name) = repository.split_once('/').ok_or_else(wrong)?;
        let sound = revision.is_none_or(|revision| revision.split('/').all(is_file_name))
            && is_file_name(organisation)
            && is_file_name(name);
        if !sound {
            return Err(wrong());
        }
        Ok(Self {
            organisation: organisation.to_owned(),
            name: name.to_owned(),
            revision: revision.map(str::to_owned),
        })
    }
}

impl fmt::Display for HubId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}/{}", self.organisation, self.name)?;
        match &self.revision {
            Some(revision) => write!(f, "@{revision}"),
            None => Ok(()),
        }
    }
}

/// Whether a part of a name may become a part of a path: nothing that leads elsewhere.
fn is_file_name(part: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    !part.is_empty() && part.len() <= 200 && !part.starts_with('.') && part.chars().all(plain)
}

/// The cache of downloaded files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache where the environment says it is.
    ///
    /// # Errors
    /// [`HubError::NoCache`].
    pub fn from_env() -> Result<Self, HubError> {
        let path = |key| {
            env::var_os(key)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let below_home = || {
            let home =
                path("XDG_CACHE_HOME").or_else(|| env::home_dir().map(|home| home.join(".cache")));
            path("HF_HOME").or_else(|| home.map(|home| home.join("huggingface")))
        };
        let folder = path("HF_HUB_CACHE").or_else(|| below_home().map(|home| home.join("hub")));
        folder.map(Self::at).ok_or(HubError::NoCache)
    }

    /// The cache in a folder.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the files of a repository are.
    fn repository(&self, id: &HubId) -> PathBuf {
        let name = format!("models--{}--{}", id.organisation, id.name);
        self.folder.join(name)
    }

    /// The folder with the files of a revision, if all of them are there.
    pub fn find(&self, id: &HubId) -> Option<PathBuf> {
        let repository = self.repository(id);
        let is_whole = |commit: &str| {
            let snapshot = repository.join("snapshots").join(commit);
            let there = FILES.iter().all(|file| snapshot.join(file).is_file());
            there.then_some(snapshot)
        };
        let reference = std::fs::read_to_string(repository.join("refs").join(id.revision()));
        let commit = reference.ok().map(|commit| commit.trim().to_owned());
        let commit = commit.filter(|commit| is_file_name(commit));
        commit
            .and_then(|commit| is_whole(&commit))
            .or_else(|| is_whole(id.revision()).filter(|_| is_file_name(id.revision())))
    }
}

impl Cache {
    /// As [`Cache::find`], or why the files are not there.
    ///
    /// # Errors
    /// [`HubError::NotCached`].
    pub fn get(&self, id: &HubId) -> Result<PathBuf, HubError> {
        self.find(id).ok_or_else(|| HubError::NotCached {
            id: Box::new(id.clone()),
            cache: self.folder.clone(),
            reason: if is_offline() {
                "HF_HUB_OFFLINE keeps it from being downloaded"
            } else if cfg!(feature = "hub") {
                "it has not been downloaded"
            } else {
                "this program is built without downloads; with them: \
                 cargo install --path crates/convolve --features hub"
            },
        })
    }
}

/// Whether `HF_HUB_OFFLINE` forbids to ask the hub.
pub fn is_offline() -> bool {
    env::var("HF_HUB_OFFLINE").is_ok_and(|value| {
        let value = value.to_ascii_lowercase();
        ["1", "on", "true", "yes"].contains(&value.as_str())
    })
}

#[cfg(test)]
mod tests;
