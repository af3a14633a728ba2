//! `cargo local`: the whole pipeline on this machine.

fn main() -> std::process::ExitCode {
    local::main()
}
