//! Versions in the root's manifest and in documents. Texts in, texts out.

use super::version::requirement;
use crate::Result;
use semver::Version;
use toml_edit::{DocumentMut, Item, Value};

/// The root's manifest with `version` for the workspace and in what the crates require of each other. All else stays as it
/// stands, comments included.
///
/// # Errors
/// When it is not the manifest of a workspace that keeps versions in one place.
pub fn with_version(manifest: &str, version: &Version) -> Result<String> {
    let mut document: DocumentMut = manifest.parse()?;
    let place = document.get_mut("workspace").and_then(|workspace| workspace.get_mut("package"));
    let place = place.and_then(|package| package.get_mut("version")).ok_or("no workspace.package.version")?;
    set(place, version.to_string())?;
    for_each_of_ours(&mut document, |dependency| match dependency.get_mut("version") {
        Some(place) => set_value(place, version.to_string()),
        None => Err("a dependency by path has no version".into()),
    })?;
    Ok(document.to_string())
}

/// The root's manifest with `registry` named in what the crates require of each other.
///
/// # Errors
/// As [`with_version`].
pub fn with_registry(manifest: &str, registry: &str) -> Result<String> {
    let mut document: DocumentMut = manifest.parse()?;
    for_each_of_ours(&mut document, |dependency| {
        dependency.insert("registry", registry.into());
        Ok(())
    })?;
    Ok(document.to_string())
}

/// Dependencies by path are those on other members.
fn for_each_of_ours(
    document: &mut DocumentMut,
    mut act: impl FnMut(&mut toml_edit::InlineTable) -> Result,
) -> Result {
    let place = document.get_mut("workspace").and_then(|workspace| workspace.get_mut("dependencies"));
    let table = place.and_then(Item::as_table_like_mut).ok_or("no workspace.dependencies")?;
    let inline = table.iter_mut().filter_map(|(_, item)| item.as_value_mut()?.as_inline_table_mut());
    for dependency in inline.filter(|dependency| dependency.contains_key("path")) {
        act(dependency)?;
    }
    Ok(())
}

fn set(place: &mut Item, text: String) -> Result {
    set_value(place.as_value_mut().ok_or("a version is a string")?, text)
}

/// With the spaces around it, and a comment behind it, kept.
fn set_value(place: &mut Value, text: String) -> Result {
    let decor = place.decor().clone();
    *place = text.into();
    *place.decor_mut() = decor;
    Ok(())
}

/// A document in which lines such as `scaigrid = { version = "0.1", .. }` or `scaigrid-types = "0.1"` name the versions that
/// go with `version`.
#[must_use]
pub fn in_document(text: &str, version: &Version) -> String {
    let lines = text.split_inclusive('\n').map(|line| match requirement_in(line) {
        Some(found) => line.replacen(&format!("\"{found}\""), &format!("\"{}\"", requirement(version)), 1),
        None => line.to_owned(),
    });
    lines.collect()
}

/// What a line of a manifest in a document requires of one of our crates.
#[must_use]
pub fn requirement_in(line: &str) -> Option<&str> {
    let (name, value) = line.split_once(" = ")?;
    let is_ours = name == "scaigrid" || name.starts_with("scaigrid-");
    let value = value.strip_prefix("{ version = ").unwrap_or(value);
    let quoted = value.strip_prefix('"')?.split('"').next()?;
    (is_ours && quoted.starts_with(|first: char| first.is_ascii_digit())).then_some(quoted)
}
