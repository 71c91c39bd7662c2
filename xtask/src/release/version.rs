//! Which version comes next.

use crate::Result;
use semver::Version;
use std::str::FromStr;

/// What a release is asked to be.
#[derive(Debug, PartialEq)]
pub enum Level {
    /// The third number is raised.
    Patch,
    /// The second number is raised.
    Minor,
    /// The first number is raised.
    Major,
    /// This version.
    Exact(Version),
}

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        Ok(match text {
            "patch" => Self::Patch,
            "minor" => Self::Minor,
            "major" => Self::Major,
            version => Self::Exact(version.parse().map_err(|error| {
                format!("`{version}` is neither patch, minor, major, nor a version: {error}")
            })?),
        })
    }
}

/// The version after `current`. An exact one may be the current one, which is how the first release comes about; that it was
/// released already is told by its tag.
///
/// # Errors
/// When an exact version is lower than the current one.
pub fn next(current: &Version, level: &Level) -> Result<Version> {
    let Version { major, minor, patch, .. } = *current;
    match level {
        // 1.0.0-rc.1 is followed by 1.0.0.
        Level::Patch if !current.pre.is_empty() => Ok(Version::new(major, minor, patch)),
        Level::Patch => Ok(Version::new(major, minor, patch + 1)),
        Level::Minor => Ok(Version::new(major, minor + 1, 0)),
        Level::Major => Ok(Version::new(major + 1, 0, 0)),
        Level::Exact(version) if version < current => {
            Err(format!("{version} is lower than the current version, {current}").into())
        }
        Level::Exact(version) => Ok(version.clone()),
    }
}

/// How documents name the versions that go with `version`: `0.1` for 0.1.7, and `1.2` for 1.2.3. A pre-release has to be
/// named whole.
#[must_use]
pub fn requirement(version: &Version) -> String {
    if version.pre.is_empty() { format!("{}.{}", version.major, version.minor) } else { version.to_string() }
}
