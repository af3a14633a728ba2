use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use crate::{LOCAL, PATIENCE, ended_with, sample_ids};

/// A target directory of its own with this program in it, so that pipelines of others are not found from there.
fn own_target() -> (TempDir, PathBuf) {
    let target = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    for folder in ["debug/deps", "local"] {
        std::fs::create_dir_all(target.path().join(folder)).unwrap();
    }
    let program = target.path().join("debug/local");
    std::fs::hard_link(LOCAL, &program).unwrap();
    (target, program)
}

async fn list(program: &Path, code: i32) -> String {
    let output = Command::new(program).args(["dead-letters", "list", "--json"]).stdin(Stdio::null()).output();
    ended_with(code, &output.await.unwrap())
}

/// Reads on until a line contains this.
async fn wait_for(stderr: &mut Lines<BufReader<ChildStderr>>, part: &str) -> String {
    let mut all = String::new();
    while let Some(line) = stderr.next_line().await.unwrap() {
        if line.contains(part) {
            return line;
        }
        all = format!("{all}{line}\n");
    }
    panic!("{part:?} was never said, only:\n{all}");
}

fn interrupt(process: &Child) {
    let id = process.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-s", "INT", &id]).status().unwrap().success());
}

#[tokio::test]
async fn a_pipeline_that_is_kept_up_is_found_without_arguments_until_it_ends_and_then_said_to_be_gone() {
    let [best] = sample_ids::<1>();
    let mut up = Command::new(LOCAL);
    up.args(["up", "--top", "1", "--fail", &format!("{best}=unknown-id")]).env_remove("OMDB_API_KEY");
    let mut up = up.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut stderr = BufReader::new(up.stderr.take().unwrap()).lines();
    let address = wait_for(&mut stderr, "local AWS  http://").await;
    wait_for(&mut stderr, "faults   #").await;

    let (target, program) = own_target();
    assert!(list(&program, 2).await.contains("no pipeline runs on this machine"));
    let name = format!("up-{}.json", up.id().unwrap());
    let told = Path::new(LOCAL).ancestors().nth(2).unwrap().join("local").join(&name);
    // The same file under another name: its lock is the same, too.
    std::fs::hard_link(&told, target.path().join("local").join(&name)).unwrap();
    let listed: Value = serde_json::from_str(&list(&program, 0).await).unwrap();
    assert!(address.contains(listed["endpoint"].as_str().unwrap()), "{address} {listed}");
    assert_eq!((&listed["messages"], &listed["groups"][0]["movies"][0]), (&1.into(), &best.into()));

    interrupt(&up);
    let ended = tokio::time::timeout(PATIENCE, up.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
    assert!(!told.exists());
    assert!(list(&program, 2).await.contains("is gone, and everything in it"));
    assert!(list(&program, 2).await.contains("no pipeline runs on this machine"), "told once");
}
