//! The parts of a release that are texts in and texts out. `cargo xtask release --rehearse` runs all of it.
#![allow(clippy::unwrap_used, reason = "tests")]

use semver::Version;
use xtask::release::changelog::{check, released};
use xtask::release::manifest::{in_document, requirement_in, with_registry, with_version};
use xtask::release::version::{Level, next};

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

#[track_caller]
fn assert_next(current: &str, level: &str, expected: &str) {
    assert_eq!(next(&version(current), &level.parse().unwrap()).unwrap(), version(expected));
}

#[test]
fn each_level_raises_its_number() {
    assert_next("0.1.3", "patch", "0.1.4");
    assert_next("0.1.3", "minor", "0.2.0");
    assert_next("0.1.3", "major", "1.0.0");
    assert_next("1.2.3", "minor", "1.3.0");
    assert_next("1.2.3", "1.5.0-rc.1", "1.5.0-rc.1");
    assert_next("1.5.0-rc.1", "patch", "1.5.0");
    // The first release.
    assert_next("0.1.0", "0.1.0", "0.1.0");
}

#[test]
fn a_version_does_not_go_down() {
    let lower = next(&version("0.2.0"), &Level::Exact(version("0.1.9")));
    assert!(lower.unwrap_err().to_string().contains("lower than the current version"));
    assert!("pacth".parse::<Level>().unwrap_err().contains("neither patch"));
}

const MANIFEST: &str = r#"[workspace]
members = ["crates/*"]

[workspace.package]
version = "0.1.0" # of all
edition = "2024"

[workspace.dependencies]
scaigrid = { version = "0.1.0", path = "crates/scaigrid", default-features = false }
scaigrid-types = { version = "0.1.0", path = "crates/scaigrid-types" }

# Other people's.
serde = { version = "0.1.0", features = ["derive"] }
"#;

#[test]
fn versions_of_ours_are_raised_and_nothing_else_is_touched() {
    let raised = with_version(MANIFEST, &version("0.2.0")).unwrap();
    let (ours, others) = MANIFEST.split_once("# Other people's.").unwrap();
    assert_eq!(raised, ours.replace("0.1.0", "0.2.0") + "# Other people's." + others);
}

#[test]
fn a_dependency_by_path_needs_a_version() {
    let manifest = MANIFEST.replace(r#"{ version = "0.1.0", path"#, "{ path");
    assert!(with_version(&manifest, &version("0.2.0")).is_err());
    assert!(with_version("[workspace]\n", &version("0.2.0")).is_err());
}

#[test]
fn a_rehearsal_names_its_registry_for_ours_only() {
    let manifest = with_registry(MANIFEST, "rehearsal").unwrap();
    let named: Vec<_> = manifest.lines().filter(|line| line.contains(r#"registry = "rehearsal""#)).collect();
    assert_eq!(named.len(), 2, "{manifest}");
    assert!(named.iter().all(|line| line.starts_with("scaigrid")));
}

#[test]
fn documents_name_the_new_version() {
    let before =
        "scaigrid = { version = \"0.1\", features = [] }\nscaigrid-types = \"0.1\"\nserde = \"0.1\"\n";
    let after =
        "scaigrid = { version = \"0.2\", features = [] }\nscaigrid-types = \"0.2\"\nserde = \"0.1\"\n";
    assert_eq!(in_document(before, &version("0.2.0")), after);
    assert_eq!(requirement_in("scaigrid = { path = \"x\" }"), None);
    assert_eq!(requirement_in("scaigrid_types = \"0.1\""), None);
}

const CHANGELOG: &str = "# Changelog\n\nText.\n\n## [Unreleased]\n\n### Added\n\n- Something.\n\n## [0.1.0] - 2026-01-31\n\n### Added\n\n- All.\n";

#[test]
fn the_unreleased_section_becomes_the_version() {
    let after = released(CHANGELOG, &version("0.2.0"), "2026-02-28").unwrap();
    let expected = CHANGELOG.replace("## [Unreleased]", "## [Unreleased]\n\n## [0.2.0] - 2026-02-28");
    assert_eq!(after, expected);
    check(&after).unwrap();
    // Nothing is unreleased now.
    let again = released(&after, &version("0.3.0"), "2026-03-01").unwrap_err();
    assert!(again.to_string().contains("no entry"), "{again}");
}

#[test]
fn a_version_is_released_once() {
    let twice = released(CHANGELOG, &version("0.1.0"), "2026-02-28").unwrap_err();
    assert!(twice.to_string().contains("already"), "{twice}");
}

#[test]
fn the_form_of_the_changelog_is_checked() {
    let wrong = [
        ("## [Unreleased]", "## Unreleased"),
        ("[0.1.0] - 2026-01-31", "[0.1.0]"),
        ("[0.1.0] - 2026-01-31", "[0.1.0] - 2026-01-32"),
        ("[0.1.0] - 2026-01-31", "[0.1] - 2026-01-31"),
        ("### Added\n\n- All", "### Novelties\n\n- All"),
        ("### Added\n\n- All", "### Added\n\nAll"),
        ("- Something.\n", "- Something.\n\n### Added\n\n- More.\n"),
        ("- All.\n", "- All.\n\n## [0.1.1] - 2026-02-01\n"),
    ];
    for (right, wrong) in wrong {
        assert!(check(&CHANGELOG.replacen(right, wrong, 1)).is_err(), "{wrong}");
    }
    check(CHANGELOG).unwrap();
}
