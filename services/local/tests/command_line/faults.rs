use std::fs;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::{LOCAL, file, fresh_target, local, text, write_program};

/// Asserts that the program ended with 2 and one sentence, and gives that sentence.
fn fault(output: &Output) -> String {
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert_eq!(text(&output.stdout), "");
    let errors: Vec<_> = stderr.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    errors[0].to_owned()
}

#[test]
fn a_source_file_that_cannot_be_read_is_refused_before_anything_is_started() {
    let sentence = fault(&local(&["--source", "/does/not/exist.json"]).output().unwrap());
    assert!(sentence.contains("the source file /does/not/exist.json cannot be read"), "{sentence}");
    let (_folder, path) = file("page.json", "<html></html>");
    let sentence = fault(&local(&["run", "--source", path.to_str().unwrap()]).output().unwrap());
    assert!(sentence.contains("is not JSON (expected value at line 1 column 1)"), "{sentence}");
}

#[test]
fn a_size_of_a_run_outside_1_to_1000_is_refused() {
    for top in ["0", "1001", "-1", "ten"] {
        let sentence = fault(&local(&[&format!("--top={top}")]).output().unwrap());
        assert!(sentence.contains("a whole number from 1 to 1000 is wanted"), "{sentence}");
    }
}

#[test]
fn an_unknown_command_is_refused() {
    assert!(fault(&local(&["runn"]).output().unwrap()).contains("runn"));
}

#[test]
fn without_python_one_sentence_says_what_to_install() {
    let (target, program) = fresh_target();
    let output = Command::new(program).env("PATH", target.path()).output().unwrap();
    assert!(fault(&output).contains("Python 3 was not found"));
}

/// Runs in a fresh target directory with a `python3` that does what the lines say.
fn with_fake_python(lines: &str) -> Output {
    let (target, program) = fresh_target();
    write_program(&target.path().join("python3"), lines);
    Command::new(program).env("PATH", target.path()).output().unwrap()
}

#[test]
fn a_python_that_is_too_old_is_named() {
    assert!(fault(&with_fake_python("echo 3.9.1; exit 1")).contains("`python3` is 3.9.1"));
}

#[test]
fn a_python_without_its_venv_module_gets_the_package_to_install() {
    let output = with_fake_python(r#"[ "$1" = -c ] && exit 0; echo "No module named venv" >&2; exit 1"#);
    let sentence = fault(&output);
    assert!(sentence.contains("apt install python3-venv") && sentence.contains("No module named venv"), "{sentence}");
}

#[test]
fn a_pip_that_fails_gets_a_sentence_with_what_it_said() {
    let fake = r#"[ "$1" = -c ] && exit 0
[ "$2" = venv ] && { /bin/mkdir -p "$3/bin"; /bin/cp "$0" "$3/bin/python"; exit 0; }
echo "no route to index" >&2; exit 1"#;
    let sentence = fault(&with_fake_python(fake));
    assert!(sentence.contains("pip could not install") && sentence.contains("no route to index"), "{sentence}");
}

#[test]
fn two_at_once_install_the_local_aws_once() {
    let (target, program) = fresh_target();
    let fake = r#"[ "$2" = venv ] || exit 0
echo installed >> "$INSTALLATIONS"; /bin/sleep 0.3; /bin/mkdir -p "$3/bin"; /bin/cp "$0" "$3/bin/python""#;
    write_program(&target.path().join("python3"), fake);
    let installations = target.path().join("installations");
    let start = || {
        let mut command = Command::new(&program);
        command.env_remove("CARGO").env("PATH", target.path()).env("INSTALLATIONS", &installations);
        command.stderr(Stdio::piped()).spawn().unwrap()
    };
    for process in [start(), start()] {
        // Past the installation there is no cargo.
        assert!(fault(&process.wait_with_output().unwrap()).contains("cargo was not found"));
    }
    assert_eq!(fs::read_to_string(installations).unwrap(), "installed\n");
}

#[test]
fn a_program_that_lies_elsewhere_installs_nothing_beside_itself() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = folder.path().join("local");
    fs::hard_link(LOCAL, &program).unwrap();
    let sentence = fault(&Command::new(&program).output().unwrap());
    assert!(sentence.contains("lies in no target directory of cargo; start it with `cargo local`"), "{sentence}");
}

#[test]
fn without_cargo_one_sentence_says_where_to_get_it() {
    let output = local(&[]).env_remove("CARGO").env("PATH", python_only().path()).output().unwrap();
    assert!(fault(&output).contains("cargo was not found"));
}

/// A folder for the `PATH` that holds nothing but a `python3`. It hands over to the real one, so that a virtual
/// environment made with it does not depend on this folder.
fn python_only() -> TempDir {
    let ask = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    let folder = tempfile::tempdir().unwrap();
    write_program(&folder.path().join("python3"), &format!("exec '{}' \"$@\"", text(&ask.stdout).trim()));
    folder
}

#[test]
fn functions_that_do_not_compile_are_told_of_after_what_the_compiler_says() {
    let output = local(&[]).env("CARGO", "false").output().unwrap();
    assert!(fault(&output).contains("the functions could not be built"));
}
