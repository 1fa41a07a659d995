//! Against a small hub on this machine.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::*;

/// A hub with one repository. Its weights lie elsewhere, behind a link, as large files do.
struct Hub {
    endpoint: String,
    /// `METHOD PATH [Range]` of every request.
    requests: Arc<Mutex<Vec<String>>>,
}

/// How the hub treats a request for the weights.
#[derive(Clone, Copy)]
enum Answer {
    /// The part that was asked for.
    Part,
    /// So many bytes of it, then silence.
    Broken(usize),
    /// All of it, though a part was asked for.
    Whole,
    /// A fault of its own.
    Fault,
}

const CONFIG: &[u8] = br#"{"architecture": "resnet18"}"#;

fn weights() -> Vec<u8> {
    (0..300_000_u32).map(|at| (at * 7 % 251) as u8).collect()
}

/// A hub that treats requests for the weights in these ways, one after the other, and the last way from then on.
fn hub(ways: &[Answer]) -> Hub {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let mut ways: VecDeque<Answer> = ways.iter().copied().collect();
    let (log, address) = (requests.clone(), endpoint.clone());
    // The thread ends with the process of the tests.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = serve(stream.unwrap(), &address, &log, &mut ways);
        }
    });
    Hub { endpoint, requests }
}

fn serve(
    stream: TcpStream,
    address: &str,
    log: &Mutex<Vec<String>>,
    ways: &mut VecDeque<Answer>,
) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let request = first.trim_end_matches(" HTTP/1.1").to_owned();
    let mut from = None;
    for line in lines {
        let line = line?.to_ascii_lowercase();
        if let Some(range) = line.strip_prefix("range: bytes=") {
            from = Some(range.trim_end_matches('-').parse::<usize>().unwrap());
        }
        if line.is_empty() {
            break;
        }
    }
    let range = from.map(|from| format!(" {from}")).unwrap_or_default();
    log.lock().unwrap().push(format!("{request}{range}"));
    let commit = "X-Repo-Commit: c0ffee\r\n";
    let weights = weights();
    let size = weights.len();
    let (head, body): (String, &[u8]) = match request.as_str() {
        "HEAD /timm/net/resolve/main/config.json" => (
            format!(
                "307 Temporary Redirect\r\n{commit}Location: /cache/config.json\r\nContent-Length: 0"
            ),
            b"",
        ),
        "HEAD /cache/config.json" | "GET /timm/net/resolve/main/config.json" => {
            let length = CONFIG.len();
            (
                format!("200 OK\r\n{commit}ETag: W/\"e1\"\r\nContent-Length: {length}"),
                CONFIG,
            )
        }
        "HEAD /timm/net/resolve/c0ffee/model.safetensors"
        | "GET /timm/net/resolve/c0ffee/model.safetensors" => {
            let facts = format!("X-Linked-ETag: \"e2\"\r\nX-Linked-Size: {size}\r\n");
            let head = format!(
                "302 Found\r\n{commit}{facts}Location: {address}/bytes\r\nContent-Length: 0"
            );
            (head, b"")
        }
        "GET /bytes" => {
            let way = if ways.len() > 1 {
                ways.pop_front()
            } else {
                ways.front().copied()
            };
            let from = from.unwrap_or(0);
            let rest = size - from;
            let part = format!(
                "206 Partial Content\r\nContent-Range: bytes {from}-{}/{size}\r\nContent-Length: {rest}",
                size - 1
            );
            match way.unwrap() {
                Answer::Part => (part, &weights[from..]),
                Answer::Broken(bytes) => (part, &weights[from..size.min(from + bytes)]),
                Answer::Whole => (format!("200 OK\r\nContent-Length: {size}"), &weights[..]),
                Answer::Fault => (
                    "503 Service Unavailable\r\nContent-Length: 0".to_owned(),
                    b"",
                ),
            }
        }
        _ => (
            "404 Not Found\r\nX-Error-Code: RepoNotFound\r\nContent-Length: 0".to_owned(),
            b"",
        ),
    };
    let mut stream = stream;
    stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes())?;
    if !request.starts_with("HEAD") {
        stream.write_all(body)?;
    }
    stream.flush()
}

fn id() -> HubId {
    "hf-hub:timm/net".parse().unwrap()
}

impl Hub {
    fn fetch(&self, cache: &Cache, id: &HubId) -> Result<PathBuf, HubError> {
        fetch_from(
            &self.endpoint,
            cache,
            id,
            Duration::from_millis(1),
            &mut |_| {},
        )
    }

    fn requests_for_bytes(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .filter(|request| request.contains("/bytes"))
            .cloned()
            .collect()
    }
}

#[track_caller]
fn assert_whole(cache: &Cache, snapshot: &Path) {
    assert!(
        snapshot.ends_with("models--timm--net/snapshots/c0ffee"),
        "{snapshot:?}"
    );
    assert_eq!(fs::read(snapshot.join("config.json")).unwrap(), CONFIG);
    assert!(fs::read(snapshot.join("model.safetensors")).unwrap() == weights());
    assert_eq!(cache.find(&id()).as_deref(), Some(snapshot));
    let blobs = snapshot.join("../../blobs");
    let mut names: Vec<_> = fs::read_dir(blobs)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["e1", "e2"]);
}

#[test]
fn a_repository_comes_into_the_cache_as_others_lay_it_out() {
    let (folder, hub) = (tempfile::tempdir().unwrap(), hub(&[Answer::Part]));
    let cache = Cache::at(folder.path());
    let mut reports = Vec::new();
    let mut report = |now: Arrived| reports.push(now);
    let snapshot = fetch_from(&hub.endpoint, &cache, &id(), Duration::ZERO, &mut report).unwrap();
    assert_whole(&cache, &snapshot);
    let repository = folder.path().join("models--timm--net");
    assert_eq!(
        fs::read_to_string(repository.join("refs/main")).unwrap(),
        "c0ffee"
    );
    #[cfg(unix)]
    assert_eq!(
        fs::read_link(snapshot.join("model.safetensors")).unwrap(),
        Path::new("../../blobs/e2")
    );
    let last = reports.last().unwrap();
    assert_eq!(
        (last.file, last.done, last.total),
        ("model.safetensors", 300_000, 300_000)
    );
    assert!(
        reports.is_sorted_by_key(|now| (now.file, now.done)),
        "{reports:?}"
    );
    // What is there is not brought again.
    let before = hub.requests_for_bytes().len();
    hub.fetch(&cache, &id()).unwrap();
    assert_eq!(hub.requests_for_bytes().len(), before);
}

#[test]
fn a_broken_connection_is_taken_up_where_it_broke() {
    let (folder, hub) = (
        tempfile::tempdir().unwrap(),
        hub(&[
            Answer::Broken(1000),
            Answer::Fault,
            Answer::Broken(0),
            Answer::Broken(50_000),
            Answer::Part,
        ]),
    );
    let cache = Cache::at(folder.path());
    let snapshot = hub.fetch(&cache, &id()).unwrap();
    assert_whole(&cache, &snapshot);
    assert_eq!(
        hub.requests_for_bytes(),
        [
            "GET /bytes 0",
            "GET /bytes 1000",
            "GET /bytes 1000",
            "GET /bytes 1000",
            "GET /bytes 51000"
        ]
    );
}

#[test]
fn a_later_run_goes_on_from_what_an_earlier_one_left() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let error = hub(&[Answer::Broken(7000), Answer::Broken(0)])
        .fetch(&cache, &id())
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("hf-hub:timm/net: model.safetensors: "),
        "{text}"
    );
    assert!(text.contains("7000 of 300000 bytes are there"), "{text}");
    assert_eq!(cache.find(&id()), None);
    let hub = hub(&[Answer::Part]);
    let snapshot = hub.fetch(&cache, &id()).unwrap();
    assert_whole(&cache, &snapshot);
    assert_eq!(hub.requests_for_bytes(), ["GET /bytes 7000"]);
}

#[test]
fn who_does_not_know_ranges_sends_everything_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let hub = hub(&[Answer::Broken(12_345), Answer::Whole]);
    let snapshot = hub.fetch(&cache, &id()).unwrap();
    assert_whole(&cache, &snapshot);
}

#[test]
fn what_is_not_there_is_said_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let absent: HubId = "hf-hub:timm/absent".parse().unwrap();
    let error = hub(&[Answer::Part])
        .fetch(&cache, &absent)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "hf-hub:timm/absent: config.json: the hub answers 404 Not Found RepoNotFound"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    // Nobody listens there.
    let nowhere = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let nowhere = format!("http://{nowhere}");
    let error = fetch_from(&nowhere, &cache, &id(), Duration::ZERO, &mut |_| {}).unwrap_err();
    assert!(matches!(error, HubError::Answer { .. }), "{error}");
}

/// What a hub says becomes part of paths.
#[test]
fn names_that_lead_elsewhere_are_not_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            let head = "HTTP/1.1 200 OK\r\nX-Repo-Commit: ../../../x\r\nETag: \"e\"\r\nContent-Length: 1\r\n";
            let _ = stream.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes());
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let error = fetch_from(&endpoint, &cache, &id(), Duration::ZERO, &mut |_| {}).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the answer lacks commit, ETag or size"),
        "{error}"
    );
}
