//! A release, from the checks to the registry.
//!
//! - [`version`]: which version comes next.
//! - `prepare`: a scratch clone in which versions and changelog are changed, each crate is packaged and built, and the
//!   commit and the tag are made.
//! - `publish`: to the registry, in order, each once.
//!
//! The work tree sees nothing of it until all of that has held, and then takes over the commit as it is. `rehearse` runs
//! the same code against a registry on loopback.

pub mod changelog;
mod consumers;
pub mod manifest;
mod prepare;
mod publish;
mod registry;
mod rehearse;
pub mod version;

use crate::metadata::Workspace;
use crate::run::{git, output, root};
use crate::{Chore, Result, api, ci, semver};
use lexopt::{Arg, ValueExt};
use prepare::Plan;
use std::path::Path;
use version::Level;

pub(crate) const CHORE: Chore = Chore {
    name: "release",
    summary: "releases all crates together; a dry run unless told otherwise",
    help: "\
Usage: cargo xtask release LEVEL [--execute]
       cargo xtask release --resume
       cargo xtask release [LEVEL] --rehearse [--skip-ci]

  LEVEL        patch, minor, major, or a version such as 1.2.0; before 1.0, minor is the level of breaking changes
  (no option)  a dry run: everything but commit, tag, and publishing, in a scratch clone; changes nothing
  --execute    commits, tags, and publishes to crates.io
  --resume     publishes what is missing of the version whose tag is checked out, after a failure in the middle
  --rehearse   all of it against a registry on loopback, with a failure in the middle and a resumption, then builds and
               runs five programs that depend on what was published; LEVEL is patch by default; needs cargo-http-registry
  --skip-ci    only for a rehearsal: leaves out `cargo xtask ci`

Works on a clean tree: runs ci; raises the version of all crates and what they require of each other; gives the
changelog's Unreleased section the version and the day; packages every crate and builds it as cargo will; compares the
interface with the last release. Publishing needs a token of the registry (`cargo login`). The commit and the tag are
not pushed: see what it prints at the end.",
    run: |arguments| {
        let options = Options::read(arguments)?;
        match options {
            Options { resume: true, .. } => publish_and_tell(&root(), &tag_to_resume(&root())?),
            Options { rehearse: true, level, skip_ci, .. } => {
                rehearse::run(&level.unwrap_or(Level::Patch), skip_ci)
            }
            Options { level: Some(level), execute, .. } => release(&level, execute),
            _ => Err("which release? patch, minor, major, or a version; see --help".into()),
        }
    },
};

#[derive(Default)]
struct Options {
    level: Option<Level>,
    execute: bool,
    resume: bool,
    rehearse: bool,
    skip_ci: bool,
}

impl Options {
    fn read(mut arguments: lexopt::Parser) -> Result<Self> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next()? {
            match argument {
                Arg::Long("execute") => options.execute = true,
                Arg::Long("resume") => options.resume = true,
                Arg::Long("rehearse") => options.rehearse = true,
                Arg::Long("skip-ci") => options.skip_ci = true,
                Arg::Value(level) if options.level.is_none() => options.level = Some(level.parse()?),
                other => return Err(other.unexpected().into()),
            }
        }
        let Self { level, execute, resume, rehearse, skip_ci } = &options;
        if u8::from(*execute) + u8::from(*resume) + u8::from(*rehearse) > 1 {
            return Err("one of --execute, --resume, and --rehearse at a time".into());
        }
        if *resume && level.is_some() {
            return Err("--resume takes the version from the tag that is checked out".into());
        }
        if *skip_ci && !rehearse {
            return Err("--skip-ci goes with --rehearse only".into());
        }
        Ok(options)
    }
}

fn release(level: &Level, execute: bool) -> Result {
    let root = root();
    let plan = Plan::new(&root, level)?;
    println!("{} -> {}: {}", plan.current, plan.next, plan.names.join(", "));
    ci::run()?;
    api::check()?;

    let scratch = tempfile::tempdir()?;
    let clone = prepare::run(&root, scratch.path(), &plan, None)?;
    semver::check(&clone)?;
    if !execute {
        println!("\n== what the release would change");
        print!("{}", output(&mut git(&clone, &["show", "--stat", "--format=%s", "HEAD"]))?);
        println!("\nA dry run: nothing has changed. --execute commits, tags, and publishes.");
        return Ok(());
    }

    take_over(&root, &clone)?;
    println!("\ncommitted and tagged as {}", plan.tag());
    publish_and_tell(&root, &plan.tag())
}

/// Brings the commit and the tag into the work tree. The checks took minutes, in which it may have changed: a fast-forward of
/// a clean tree, or nothing.
fn take_over(root: &Path, clone: &Path) -> Result {
    ensure_clean(root)?;
    let place = clone.to_string_lossy();
    output(&mut git(root, &["fetch", "--quiet", "--tags", &place, "HEAD"]))?;
    output(&mut git(root, &["merge", "--quiet", "--ff-only", "FETCH_HEAD"]))?;
    Ok(())
}

/// The tag whose crates can be published from here: of the version in the manifests, checked out, and with a clean tree.
fn tag_to_resume(root: &Path) -> Result<String> {
    ensure_clean(root)?;
    let workspace = Workspace::read(root)?;
    let version = &workspace.published()?.first().ok_or("nothing to publish")?.version;
    let tag = format!("v{version}");
    let here = output(&mut git(root, &["tag", "--points-at", "HEAD"]))?;
    if here.lines().any(|name| name == tag) {
        return Ok(tag);
    }
    Err(format!("HEAD is not {tag}: check the tag out that is to be published").into())
}

fn publish_and_tell(root: &Path, tag: &str) -> Result {
    let published = publish::all(root, &registry::Registry::crates_io(), &mut |_| {});
    let published = published.map_err(|error| {
        format!(
            "{error}\n\nThe commit and {tag} stay. When the cause is gone: `cargo xtask release --resume`"
        )
    })?;
    println!("\n{tag}: {published} crates published now. Push it: `git push origin HEAD {tag}`");
    Ok(())
}

/// An error that lists what is not committed.
fn ensure_clean(folder: &Path) -> Result {
    let changes = output(&mut git(folder, &["status", "--porcelain"]))?;
    if changes.is_empty() { Ok(()) } else { Err(format!("the tree is not clean:\n{changes}").into()) }
}
