//! The whole release against a registry on loopback, and programs that use what it published.

use super::prepare::{self, Plan};
use super::registry::Server;
use super::version::Level;
use super::{consumers, publish, tag_to_resume, take_over};
use crate::run::{git, output, root};
use crate::{Result, ci, semver};
use std::fmt::Display;
use std::time::Instant;

/// The registry goes away after so many crates.
const FAILS_AFTER: usize = 2;

pub(super) fn run(level: &Level, skip_ci: bool) -> Result {
    let root = root();
    let mut summary = Summary::new();
    let plan = Plan::new(&root, level)?;
    let scratch = tempfile::tempdir()?;
    let (mut server, registry) = Server::start(scratch.path())?;
    println!("{} -> {}: {}", plan.current, plan.next, plan.names.join(", "));

    if skip_ci {
        summary.done("ci", "left out, as asked");
    } else {
        ci::run()?;
        summary.done("ci", "passed");
    }
    // What stands for the work tree, so that the real one is not touched.
    let tree = scratch.path().join("tree");
    output(git(&root, &["clone", "--quiet", "."]).arg(&tree))?;
    let clone = prepare::run(&tree, scratch.path(), &plan, Some(&registry))?;
    summary.done(
        "packages",
        format!("{} built from what is in them; committed as {}", plan.names.len(), plan.tag()),
    );
    semver::check(&clone)?;
    summary.done("semver", "passed");
    take_over(&tree, &clone)?;

    let mut published = Vec::new();
    let failure = publish::all(&tree, &registry, &mut |name| {
        published.push(name.to_owned());
        if published.len() == FAILS_AFTER {
            println!("\n== the registry goes away");
            server.stop();
        }
    });
    match failure {
        Ok(_) => return Err("publishing went on without a registry".into()),
        Err(error) if published.len() != FAILS_AFTER => return Err(error),
        Err(error) => println!("as it should: {error}"),
    }
    summary.done("publishing", format!("failed after {}, as it should", published.join(", ")));

    println!("\n== the registry is back");
    server.restart()?;
    if tag_to_resume(&tree)? != plan.tag() {
        return Err("another tag than that of the release is checked out".into());
    }
    let rest = publish::all(&tree, &registry, &mut |_| {})?;
    summary.done("resumption", format!("published the other {rest}"));
    let again = publish::all(&tree, &registry, &mut |_| {})?;
    if published.len() + rest != plan.names.len() || again != 0 {
        return Err(format!("{} and {rest} and then {again} crates were published", published.len()).into());
    }
    for name in &plan.names {
        let versions = server.versions(name)?;
        if versions != [plan.next.to_string()] {
            return Err(format!("the index has {versions:?} of {name}").into());
        }
    }
    summary.done("the index", format!("has each of {} crates once", plan.names.len()));

    consumers::run(scratch.path(), &plan, &registry, &mut summary)?;
    println!("\n== rehearsal of {}\n{summary}", plan.next);
    Ok(())
}

/// What was done, and how long it took.
pub(super) struct Summary {
    since: Instant,
    rows: Vec<String>,
}

impl Summary {
    fn new() -> Self {
        Self { since: now(), rows: Vec::new() }
    }

    /// Notes what was done since the last note.
    pub(super) fn done(&mut self, what: &str, how: impl Display) {
        self.rows.push(format!("{:>5} s  {what}: {how}", self.since.elapsed().as_secs()));
        self.since = now();
    }
}

impl Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.rows.join("\n"))
    }
}

#[allow(clippy::disallowed_methods, reason = "tells how long a part took")]
fn now() -> Instant {
    Instant::now()
}
