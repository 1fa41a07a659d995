use super::*;

fn id(text: &str) -> HubId {
    text.parse().unwrap()
}

#[test]
fn names_are_read_and_written_alike() {
    for text in [
        "hf-hub:timm/resnet18.a1_in1k",
        "hf-hub:a/b@v1.0",
        "hf-hub:a/b@refs/pr/3",
    ] {
        assert_eq!(id(text).to_string(), text);
    }
    assert_eq!(id("hf-hub:a/b@v1").revision(), "v1");
    let wrong = [
        "timm/resnet18",
        "hf-hub:timm",
        "hf-hub:/x",
        "hf-hub:a/",
        "hf-hub:a/b/c",
        "hf-hub:../b",
        "hf-hub:a/..",
        "hf-hub:a/b@",
        "hf-hub:a/b@../../x",
        "hf-hub:a/b@x//y",
        "hf-hub:a\\b/c",
        "hf-hub:a b/c",
    ];
    for text in wrong {
        let error = text.parse::<HubId>().unwrap_err().to_string();
        assert!(error.contains("is not hf-hub:ORG/NAME"), "{text}: {error}");
    }
}

/// A cache as other programs leave it.
fn cache(files: &[&str]) -> (tempfile::TempDir, Cache) {
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("models--timm--net");
    let snapshot = repository.join("snapshots/c0ffee");
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::create_dir_all(repository.join("refs/pr")).unwrap();
    std::fs::write(repository.join("refs/main"), "c0ffee\n").unwrap();
    for file in files {
        std::fs::write(snapshot.join(file), "x").unwrap();
    }
    let cache = Cache::at(folder.path());
    (folder, cache)
}

#[test]
fn a_whole_snapshot_is_found_by_branch_and_by_commit() {
    let (folder, cache) = cache(&FILES);
    let snapshot = folder.path().join("models--timm--net/snapshots/c0ffee");
    assert_eq!(cache.find(&id("hf-hub:timm/net")), Some(snapshot.clone()));
    assert_eq!(cache.find(&id("hf-hub:timm/net@c0ffee")), Some(snapshot));
    assert_eq!(cache.find(&id("hf-hub:timm/net@other")), None);
    assert_eq!(cache.find(&id("hf-hub:timm/other")), None);
}

#[test]
fn half_a_snapshot_is_none_and_a_reference_leads_nowhere_else() {
    let (_folder, half) = cache(&["config.json"]);
    assert_eq!(half.find(&id("hf-hub:timm/net")), None);
    let (folder, whole) = cache(&FILES);
    let reference = folder.path().join("models--timm--net/refs/main");
    for commit in ["../snapshots/c0ffee", "..", "", "/etc"] {
        std::fs::write(&reference, commit).unwrap();
        assert_eq!(whole.find(&id("hf-hub:timm/net")), None, "{commit}");
    }
}

#[test]
fn what_is_not_there_is_named_with_the_place() {
    let (folder, cache) = cache(&[]);
    let error = cache.get(&id("hf-hub:timm/net")).unwrap_err().to_string();
    let place = format!(
        "hf-hub:timm/net: not in the cache {}; ",
        folder.path().display()
    );
    assert!(error.starts_with(&place), "{error}");
}
