use super::*;
use crate::store::testing::TempFolder;
use std::os::unix::fs::symlink;

fn path(text: &str) -> FilePath {
    FilePath::parse(text).expect("a path")
}

fn open(folder: &TempFolder, quota: u64) -> DropFolder {
    DropFolder::open(&folder.0, "device", quota).expect("a drop folder")
}

fn put(folder: &DropFolder, name: &str, body: &[u8], mode: Mode) -> Result<String, FileFault> {
    folder
        .put(&path(name), body.len() as u64, &mut &*body, mode)
        .map(|path| path.to_string())
}

fn read(folder: &DropFolder, name: &str) -> Vec<u8> {
    let (mut file, info) = folder.open_file(&path(name)).expect("a file");
    let mut body = Vec::new();
    file.read_to_end(&mut body).expect("read");
    assert_eq!(body.len() as u64, info.len);
    body
}

#[test]
fn what_is_put_is_listed_read_and_deleted() {
    let temp = TempFolder::new("drop");
    let folder = open(&temp, 1_000);
    put(&folder, "notes/b.txt", b"hello", Mode::New).expect("put");
    put(&folder, "a.txt", b"", Mode::New).expect("put");
    let listed = folder.list(&path("")).expect("listed");
    let shown: Vec<_> = listed
        .iter()
        .map(|entry| (entry.name.as_str(), entry.len, entry.folder))
        .collect();
    assert_eq!(shown, [("a.txt", 0, false), ("notes", 0, true)]);
    assert_eq!(read(&folder, "notes/b.txt"), b"hello");
    assert_eq!(folder.used().expect("counted"), 5);
    assert!(matches!(
        folder.delete(&path("notes")),
        Err(FileFault::Exists)
    ));
    folder.delete(&path("notes/b.txt")).expect("deleted");
    folder.delete(&path("notes")).expect("deleted");
    assert!(matches!(
        folder.delete(&path("notes")),
        Err(FileFault::NotFound)
    ));
}

#[test]
fn a_taken_name_is_refused_replaced_or_moved_aside_as_asked() {
    let temp = TempFolder::new("taken");
    let folder = open(&temp, 1_000);
    put(&folder, "a.txt", b"1", Mode::New).expect("put");
    assert!(matches!(
        put(&folder, "a.txt", b"2", Mode::New),
        Err(FileFault::Exists)
    ));
    assert_eq!(read(&folder, "a.txt"), b"1");
    assert_eq!(
        put(&folder, "a.txt", b"3", Mode::Rename).expect("put"),
        "a 2.txt"
    );
    assert_eq!(
        put(&folder, "a.txt", b"4", Mode::Rename).expect("put"),
        "a 3.txt"
    );
    assert_eq!(
        put(&folder, "a.txt", b"5", Mode::Replace).expect("put"),
        "a.txt"
    );
    assert_eq!(
        (read(&folder, "a.txt"), read(&folder, "a 2.txt")),
        (b"5".to_vec(), b"3".to_vec())
    );
}

#[test]
fn the_quota_holds_to_the_byte() {
    let temp = TempFolder::new("quota");
    let folder = open(&temp, 10);
    put(&folder, "a", b"123456", Mode::New).expect("put");
    assert!(matches!(
        put(&folder, "b", b"12345", Mode::New),
        Err(FileFault::Full { used: 6, quota: 10 })
    ));
    put(&folder, "b", b"1234", Mode::New).expect("exactly full");
    assert!(matches!(
        put(&folder, "c", b"1", Mode::New),
        Err(FileFault::Full { .. })
    ));
}

#[test]
fn no_link_leads_out_whatever_it_is_used_for() {
    let temp = TempFolder::new("links");
    let secret = temp.0.join("secret");
    std::fs::create_dir(&secret).expect("a folder");
    std::fs::write(secret.join("key"), b"private").expect("a file");
    let folder = open(&temp, 1_000);
    let inside = temp.0.join("device");
    symlink(&secret, inside.join("way")).expect("a link");
    symlink(secret.join("key"), inside.join("key")).expect("a link");

    assert!(matches!(
        folder.open_file(&path("way/key")),
        Err(FileFault::NotPlain)
    ));
    assert!(matches!(
        folder.open_file(&path("key")),
        Err(FileFault::NotPlain)
    ));
    assert!(matches!(
        folder.list(&path("way")),
        Err(FileFault::NotPlain)
    ));
    assert!(matches!(
        put(&folder, "way/new", b"x", Mode::New),
        Err(FileFault::NotPlain)
    ));
    assert!(matches!(
        put(&folder, "key", b"x", Mode::Replace),
        Err(FileFault::NotPlain)
    ));
    assert!(matches!(
        folder.delete(&path("key")),
        Err(FileFault::NotPlain)
    ));
    assert!(matches!(
        folder.delete(&path("way/key")),
        Err(FileFault::NotPlain)
    ));
    assert!(folder.list(&path("")).expect("listed").is_empty());
    assert_eq!(
        std::fs::read(secret.join("key")).expect("untouched"),
        b"private"
    );
    assert_eq!(std::fs::read_dir(&secret).expect("listed").count(), 1);
}

#[test]
fn a_link_in_place_of_the_drop_folder_is_refused() {
    let temp = TempFolder::new("root-link");
    std::fs::create_dir(temp.0.join("elsewhere")).expect("a folder");
    symlink(temp.0.join("elsewhere"), temp.0.join("device")).expect("a link");
    assert!(matches!(
        DropFolder::open(&temp.0, "device", 10),
        Err(FileFault::NotPlain)
    ));
    for name in ["..", "", "a/b", "/"] {
        assert!(DropFolder::open(&temp.0, name, 10).is_err(), "{name}");
    }
}

#[test]
fn half_written_files_are_never_seen_and_go_at_the_next_start() {
    let temp = TempFolder::new("half");
    let folder = open(&temp, 1_000);
    let short = folder.put(&path("a"), 10, &mut &b"123"[..], Mode::New);
    assert!(matches!(short, Err(FileFault::Disk(_))));
    assert_eq!(
        std::fs::read_dir(temp.0.join("device"))
            .expect("listed")
            .count(),
        0
    );

    std::fs::create_dir(temp.0.join("device/sub")).expect("a folder");
    let left = temp.0.join("device/sub").join(format!("{TEMPORARY}1-1"));
    std::fs::write(&left, b"half").expect("written");
    assert!(folder.list(&path("sub")).expect("listed").is_empty());
    drop(folder);
    let _again = open(&temp, 1_000);
    assert!(!left.exists());
}

#[test]
fn a_pipe_does_not_hang_the_reader() {
    let temp = TempFolder::new("pipe");
    let folder = open(&temp, 1_000);
    nix::unistd::mkfifo(&temp.0.join("device/pipe"), Bits::S_IRWXU).expect("a pipe");
    assert!(matches!(
        folder.open_file(&path("pipe")),
        Err(FileFault::NotPlain)
    ));
    assert!(folder.list(&path("")).expect("listed").is_empty());
}
