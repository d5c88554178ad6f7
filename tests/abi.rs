//! A C program over the header, `tests/abi/abi.c`: compiled as C11 and as C++17, linked to the static and to the dynamic
//! library, and run against a receiver.

mod recording;

use std::path::{Path, PathBuf};
use std::process::Command;

use recording::{Recorder, Reply};

/// Where cargo put the libraries that belong to this test.
fn libraries() -> PathBuf {
    let test = std::env::current_exe().expect("known");
    test.parent().expect("target/<profile>/deps/<test>").to_path_buf()
}

/// Compiles the program for one test; `language` is what the compiler needs for it.
fn compile(test: &str, (compiler, language): (&str, &[&str]), library: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("abi-{test}"));
    let mut command = Command::new(compiler);
    command.args(language).args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g"]);
    command.arg("-I").arg(root.join("include")).arg(root.join("tests/abi/abi.c"));
    command.args(["-x", "none"]).arg(libraries().join(library));
    command.arg(format!("-Wl,-rpath,{}", libraries().display()));
    command.args(["-lgcc_s", "-lpthread", "-lm", "-ldl", "-o"]).arg(&program);
    let output = command.output().unwrap_or_else(|error| panic!("{compiler} cannot be run: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    program
}

/// Runs the program and looks at what the receiver got.
fn run(mut command: Command) {
    let recorder = Recorder::start(|_| Reply::Status(204));
    let output = command.arg(recorder.url()).output().expect("runs");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?}: {words}", output.status);
    let points = recorder.points().remove(r#"k6_abi_requests_total{method="GET"}"#).expect("shipped");
    let total = points.iter().map(|&(_, value)| value).rfind(|value| !value.is_nan());
    assert_eq!(total, Some(1004.0), "{points:?}");
}

const C: (&str, &[&str]) = ("gcc", &["-std=c11"]);
const CPP: (&str, &[&str]) = ("g++", &["-x", "c++", "-std=c++17"]);

#[test]
fn a_c11_program_uses_the_static_library() {
    run(Command::new(compile("c-static", C, "libk6_remote_write.a")));
}

#[test]
fn a_c11_program_uses_the_dynamic_library() {
    run(Command::new(compile("c-dynamic", C, "libk6_remote_write.so")));
}

#[test]
fn a_cpp17_program_uses_the_static_library() {
    run(Command::new(compile("cpp-static", CPP, "libk6_remote_write.a")));
}

#[test]
#[ignore = "needs valgrind: `make test-abi` runs it where that is installed"]
fn valgrind_finds_no_error_and_no_lost_byte() {
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--error-exitcode=99", "--leak-check=full", "--errors-for-leak-kinds=definite"]);
    command.arg(compile("valgrind", C, "libk6_remote_write.so"));
    run(command);
}
