//! The C programs in `tests/abi/`: compiled as each language that the header supports, linked to the static and to the dynamic
//! library, and run against a receiver, also under valgrind; and for other platforms.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::recording_receiver::{Recorder, Reply};
use k6_remote_write::ffi::ABI_VERSION;

const STATIC: &str = "libk6_remote_write.a";
const DYNAMIC: &str = "libk6_remote_write.so";

/// A compiler, and its options for the language.
type Language<'a> = (&'a str, &'a [&'a str]);

const C11: Language<'static> = ("gcc", &["-std=c11"]);
const CPP17: Language<'static> = ("g++", &["-x", "c++", "-std=c++17"]);
const LANGUAGES: [Language<'static>; 8] = [
    C11,
    ("gcc", &["-std=c17"]),
    CPP17,
    ("g++", &["-x", "c++", "-std=c++20"]),
    ("clang", &["-std=c11"]),
    ("clang", &["-std=c17"]),
    ("clang++", &["-x", "c++", "-std=c++17"]),
    ("clang++", &["-x", "c++", "-std=c++20"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The directory of the libraries: LIBRARIES, or that of this test's build.
fn libraries() -> PathBuf {
    if let Some(directory) = std::env::var_os("LIBRARIES") {
        return directory.into();
    }
    let test = std::env::current_exe().expect("known");
    test.parent().expect("target/<profile>/deps/<test>").to_path_buf()
}

/// The command that compiles the suite. Warnings are errors.
fn compiler((compiler, language): Language<'_>) -> Command {
    let mut command = Command::new(compiler);
    command.args(language).args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-D_POSIX_C_SOURCE=200809L", "-g"]);
    command.arg("-I").arg(root().join("include"));
    let sources = std::fs::read_dir(root().join("tests/abi")).expect("is there");
    let sources = sources.map(|entry| entry.expect("readable").path());
    command.args(sources.filter(|path| path.extension().is_some_and(|extension| extension == "c")));
    command
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

fn succeed(mut command: Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
    assert!(output.status.success(), "{command:?}: {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
}

/// Compiles and links the suite for one test.
fn build(test: &str, language: Language<'_>, library: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("abi").join(test);
    std::fs::create_dir_all(&directory).expect("can be made");
    // The program loads the dynamic library by its soname.
    let soname = directory.join(format!("{DYNAMIC}.{ABI_VERSION}"));
    let _ = std::fs::remove_file(&soname);
    std::os::unix::fs::symlink(libraries().join(DYNAMIC), soname).expect("can be made");
    let program = directory.join("abi");
    let mut command = compiler(language);
    command.args(["-x", "none"]).arg(libraries().join(library));
    command.arg("-Wl,-rpath,$ORIGIN").args(["-lgcc_s", "-lpthread", "-lm", "-ldl", "-o"]).arg(&program);
    succeed(command);
    program
}

/// Runs the program, which opens `outputs` outputs one after the other, and checks what the receiver got.
fn run(mut command: Command, outputs: usize) {
    let recorder = Recorder::start(|_| Reply::Status(204));
    command.arg(recorder.url()).arg(outputs.to_string());
    succeed(command);
    let points = recorder.points();
    let total_of = |series| points.get(series)?.iter().map(|&(_, value)| value).rfind(|value| !value.is_nan());
    assert_eq!(total_of(r#"k6_abi_requests_total{method="GET"}"#), Some(1005.0));
    assert!(total_of("k6_abi_threads_total").is_some(), "{:?}", points.keys());
}

fn run_under_valgrind(test: &str, library: &str, options: &[&str]) {
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--error-exitcode=99"]).args(options).arg(build(test, C11, library));
    run(command, 20);
}

#[test]
fn the_suite_compiles_as_each_language_without_warnings() {
    for language in LANGUAGES {
        if is_installed(language.0) {
            let mut command = compiler(language);
            command.arg("-fsyntax-only");
            succeed(command);
        } else {
            assert!(language.0.starts_with("clang"), "{} is not installed", language.0);
        }
    }
}

#[test]
fn a_c_program_uses_the_static_library() {
    run(Command::new(build("c-static", C11, STATIC)), 100);
}

#[test]
fn a_c_program_uses_the_dynamic_library() {
    run(Command::new(build("c-dynamic", C11, DYNAMIC)), 100);
}

#[test]
fn a_cpp_program_uses_the_static_library() {
    run(Command::new(build("cpp-static", CPP17, STATIC)), 100);
}

#[test]
#[ignore = "needs the release library to be fast: `make test-abi` runs it"]
fn a_thousand_outputs_come_and_go() {
    run(Command::new(build("thousand", C11, DYNAMIC)), 1000);
}

const MEMCHECK: &[&str] = &["--leak-check=full", "--errors-for-leak-kinds=definite"];

#[test]
#[ignore = "needs valgrind: `make test-abi` runs it where that is installed"]
fn memcheck_finds_nothing_in_the_static_library() {
    run_under_valgrind("memcheck-static", STATIC, MEMCHECK);
}

#[test]
#[ignore = "needs valgrind: `make test-abi` runs it where that is installed"]
fn memcheck_finds_nothing_in_the_dynamic_library() {
    run_under_valgrind("memcheck-dynamic", DYNAMIC, MEMCHECK);
}

#[test]
#[ignore = "needs valgrind: `make test-abi` runs it where that is installed"]
fn helgrind_finds_nothing_in_the_program_and_in_the_use_of_threads() {
    let suppressions = format!("--suppressions={}", root().join("tests/abi/helgrind.supp").display());
    run_under_valgrind("helgrind", DYNAMIC, &["--tool=helgrind", &suppressions]);
}

/// The library of a release: PLATFORM_CC compiles for its platform, LIBRARY and SYSTEM_LIBRARIES are linked, RUNNER runs the program.
#[test]
#[ignore = "needs a release: `make test-dist` runs it"]
fn the_release_of_a_platform_is_used_by_a_c_program() {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("abi").join("platform");
    std::fs::create_dir_all(&directory).expect("can be made");
    let program = directory.join("abi.exe"); // whose name matters only to Windows
    let cc = variable("PLATFORM_CC");
    let mut command = compiler((cc.as_str(), &["-std=c11"]));
    command.args(["-x", "none", &variable("LIBRARY")]).args(variable("SYSTEM_LIBRARIES").split_whitespace());
    command.arg("-lpthread").arg("-o").arg(&program);
    succeed(command);
    let mut words = variable("RUNNER").split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    words.push(program.to_str().expect("UTF-8").into());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    run(command, 20);
}
