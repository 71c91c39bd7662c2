//! The public interface as text, so that a change of it shows in review.

use crate::metadata::{Package, Workspace};
use crate::run::{cargo, output, root};
use crate::{Chore, Result};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const CHORE: Chore = Chore {
    name: "api",
    summary: "the public interface against the listings in xtask/api; --bless writes them",
    help: "\
Usage: cargo xtask api [--bless]

  --bless   writes the listings anew; commit them with the change

One listing for each published library, with all features, less what every type gets by itself. They are made from
rustdoc's JSON, which is unstable: the stable toolchain is told to write it, and the crate public-api in Cargo.lock reads
the format of one version of it. With another toolchain this chore says so, and compares nothing.",
    run: |mut arguments| {
        let mut bless = false;
        while let Some(argument) = arguments.next()? {
            match argument {
                lexopt::Arg::Long("bless") => bless = true,
                other => return Err(other.unexpected().into()),
            }
        }
        for_each(|listing, text| if bless { write(listing, text) } else { compare(listing, text) })
    },
};

/// Compares all listings.
pub(crate) fn check() -> Result {
    for_each(compare)
}

fn for_each(act: impl Fn(&Path, &str) -> Result) -> Result {
    let workspace = Workspace::read(&root())?;
    // The same variable that makes rustdoc write JSON would make build scripts run again in the usual folder.
    let target = workspace.target_directory.join("api");
    let mut failures = Vec::new();
    for package in workspace.published()?.into_iter().filter(|package| package.is_library()) {
        let json = rustdoc_json(package, &target)?;
        if let Some(theirs) = other_format(&json)? {
            println!(
                "left out: this rustdoc writes format {theirs}, and {} is read",
                rustdoc_types::FORMAT_VERSION
            );
            return Ok(());
        }
        let items = public_api::Builder::from_rustdoc_json(&json)
            .omit_blanket_impls(true)
            .omit_auto_trait_impls(true)
            .omit_auto_derived_impls(true)
            .build()?;
        let listing = root().join(format!("xtask/api/{}.txt", package.name));
        let text = brief(&items.to_string());
        if let Err(error) = act(&listing, &text) {
            failures.push(error.to_string());
        }
    }
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n\n").into()) }
}

/// A listing without what tells nothing: the methods of a trait's implementation, which are the trait's, and mockall's
/// workings, which are public because its mocks are.
fn brief(listing: &str) -> String {
    let mut of = None;
    let mut brief = String::new();
    for line in listing.lines().filter(|line| !line.contains("__mock")) {
        let method = line.strip_prefix("pub fn ").or_else(|| line.strip_prefix("pub async fn "));
        match (method, of) {
            (Some(path), Some(implementor)) if path.starts_with(implementor) => continue,
            (Some(_), _) => {}
            (None, _) if line.starts_with("pub type ") || line.starts_with("pub const ") => {}
            (None, _) => {
                let implementor =
                    line.strip_prefix("impl").and_then(|line| Some(line.split_once(" for ")?.1));
                of = implementor.and_then(|name| name.split(['<', ' ']).next());
            }
        }
        brief.push_str(line);
        brief.push('\n');
    }
    brief
}

fn rustdoc_json(package: &Package, target: &Path) -> Result<PathBuf> {
    let arguments = ["rustdoc", "--quiet", "--lib", "--all-features", "-p", &package.name, "--"];
    let unstable = ["-Z", "unstable-options", "--output-format", "json", "--cap-lints", "allow"];
    output(
        cargo().args(arguments).args(unstable).env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", target),
    )?;
    Ok(target.join("doc").join(package.name.replace('-', "_")).with_extension("json"))
}

fn write(listing: &Path, text: &str) -> Result {
    fs::create_dir_all(listing.with_file_name(""))?;
    fs::write(listing, text)?;
    println!("{}: {} items", listing.display(), text.lines().count());
    Ok(())
}

fn compare(listing: &Path, text: &str) -> Result {
    let before = fs::read_to_string(listing).unwrap_or_default();
    if before == text {
        return Ok(());
    }
    let gone = before.lines().filter(|line| !text.lines().any(|other| other == *line));
    let new = text.lines().filter(|line| !before.lines().any(|other| other == *line));
    let changes: Vec<_> =
        gone.map(|line| format!("- {line}")).chain(new.map(|line| format!("+ {line}"))).collect();
    Err(format!(
        "{} is not what the code says; `cargo xtask api --bless` writes it anew:\n{}",
        listing.display(),
        changes.join("\n")
    )
    .into())
}

/// The format's number, when it is not the one that public-api reads.
fn other_format(json: &Path) -> Result<Option<u32>> {
    #[derive(serde::Deserialize)]
    struct Head {
        format_version: u32,
    }
    let head: Head = serde_json::from_str(&fs::read_to_string(json)?)?;
    Ok((head.format_version != rustdoc_types::FORMAT_VERSION).then_some(head.format_version))
}
