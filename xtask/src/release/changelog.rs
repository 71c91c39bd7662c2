//! The changelog. Texts in, texts out.

use crate::Result;
use semver::Version;

/// The heading of what comes with the next release.
pub const UNRELEASED: &str = "## [Unreleased]";

/// The kinds of change that Keep a Changelog knows.
const KINDS: [&str; 6] = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];

/// A changelog in which the Unreleased section has become that of `version`, and a new one stands above it.
///
/// # Errors
/// When nothing is unreleased, or the form is wrong.
pub fn released(text: &str, version: &Version, day: &str) -> Result<String> {
    check(text)?;
    if unreleased(text).is_none_or(|section| !section.contains("\n- ")) {
        return Err("the changelog's Unreleased section has no entry: a release says what it brings".into());
    }
    if text.lines().any(|line| line.starts_with(&format!("## [{version}]"))) {
        return Err(format!("the changelog has a section of {version} already").into());
    }
    Ok(text.replacen(UNRELEASED, &format!("{UNRELEASED}\n\n## [{version}] - {day}"), 1))
}

/// What stands below the heading of the next release.
fn unreleased(text: &str) -> Option<&str> {
    let (_, section) = text.split_once(UNRELEASED)?;
    section.split("\n## ").next()
}

/// Whether it has the form of Keep a Changelog: `## [Unreleased]` first, then versions with their day, the highest first,
/// and in each section the known kinds of change, each once, with entries.
///
/// # Errors
/// When it has not.
pub fn check(text: &str) -> Result {
    let mut sections = text.split("\n## ").skip(1);
    if sections.next().and_then(|section| section.lines().next()) != UNRELEASED.strip_prefix("## ") {
        return Err(format!("the changelog's first section is `{UNRELEASED}`").into());
    }
    let mut higher: Option<Version> = None;
    for section in sections {
        let heading = section.lines().next().unwrap_or_default();
        let parts = heading.strip_prefix('[').and_then(|rest| rest.split_once("] - "));
        let (version, day) = parts.ok_or_else(|| format!("`## [X.Y.Z] - YYYY-MM-DD`, not `## {heading}`"))?;
        let version: Version = version.parse().map_err(|error| format!("## {heading}: {error}"))?;
        day.parse::<jiff::civil::Date>().map_err(|error| format!("## {heading}: {error}"))?;
        if higher.is_some_and(|higher| higher <= version) {
            return Err(format!("## {heading}: the highest version comes first").into());
        }
        higher = Some(version);
    }
    for section in text.split("\n## ").skip(1) {
        let heading = section.lines().next().unwrap_or_default();
        let mut seen: Vec<&str> = Vec::new();
        for part in section.split("\n### ").skip(1) {
            let kind = part.lines().next().unwrap_or_default();
            if !KINDS.contains(&kind) || seen.contains(&kind) {
                return Err(format!("## {heading}: `### {kind}` is not a kind, or comes twice").into());
            }
            if !part.contains("\n- ") {
                return Err(format!("## {heading}: `### {kind}` has no entry").into());
            }
            seen.push(kind);
        }
    }
    Ok(())
}

/// Today, in UTC.
pub(super) fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}
