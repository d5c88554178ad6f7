//! What is downloaded is pinned, and a release needs CI, a trial and a person.

use regex::Regex;

use crate::page::{pages, read};

const WORKFLOWS: [&str; 2] = [".github/workflows/ci.yml", ".github/workflows/release.yml"];
const IMAGES: [&str; 2] = ["Dockerfile", "deploy/compose/compose.yaml"];

/// The image that is built here, and one whose digest is still to be looked up.
const WITHOUT_DIGEST: [&str; 2] = ["k6-remote-write", "prom/prometheus:v3.16.0"];

/// Returns the group of each match in a file.
fn found(path: &str, pattern: &str) -> Vec<String> {
    let text = read(path);
    Regex::new(pattern).expect("valid").captures_iter(&text).map(|captures| captures[1].to_string()).collect()
}

#[test]
fn images_are_named_by_digest() {
    let digest = Regex::new(r"@sha256:[0-9a-f]{64}$").expect("valid");
    let mut images = 0;
    for path in IMAGES.into_iter().chain(WORKFLOWS) {
        for image in found(path, r"(?m)^\s*(?:FROM|image:|container:) (\S+)") {
            assert!(digest.is_match(&image) || WITHOUT_DIGEST.contains(&&*image), "{path}: {image}");
            images += 1;
        }
    }
    assert!(images >= 6, "{images}");
}

#[test]
fn actions_are_named_by_commit() {
    let pinned = Regex::new(r"^[\w/-]+@[0-9a-f]{40}$|^\./").expect("valid");
    for path in WORKFLOWS {
        for action in found(path, r"uses: (\S+)") {
            assert!(pinned.is_match(&action), "{path}: {action}");
        }
    }
}

#[test]
fn all_pages_and_workflows_have_one_version_of_go() {
    let mut versions: Vec<_> = pages()
        .iter()
        .flat_map(|page| found(&page.path, r"\bGo (1\.\d+\.\d+)"))
        .chain(WORKFLOWS.iter().flat_map(|path| found(path, r"go-version: (\S+)")))
        .chain(found("Dockerfile", r"golang:([\d.]+)"))
        .collect();
    let count = versions.len();
    versions.sort();
    versions.dedup();
    assert!(count >= 8 && versions.len() == 1, "{count} times {versions:?}");
}

#[test]
fn a_release_needs_ci_a_trial_and_a_person() {
    let workflow = read(WORKFLOWS[1]);
    let jobs: Vec<_> = workflow.split_once("\njobs:").expect("jobs").1.split("\n\n").collect();
    let job = |name: &str| jobs.iter().find(|job| job.contains(&format!("  {name}:\n"))).expect(name);
    assert!(job("ci").contains("uses: ./.github/workflows/ci.yml"));
    assert!(job("draft").contains("needs: [ci, ") && job("draft").contains("attest-build-provenance"));
    assert!(job("try").contains("needs: draft\n"));
    let publish = job("publish");
    assert!(publish.contains("needs: try\n") && publish.contains("environment: release"));
    // Nothing is public before.
    for public in ["push \"https://", "--draft=false"] {
        let jobs = jobs.iter().filter(|job| job.contains(public)).count();
        assert!(jobs == 1 && publish.contains(public), "{public}");
    }
    assert!(read(WORKFLOWS[0]).contains("REQUIRE_CHECKS: 1"), "an audit that cannot run fails");
}
