//! The README names every program.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[test]
fn its_table_has_a_row_for_each_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    let table = readme.split("\n| program | what it does |\n|---|---|\n").nth(1).unwrap();
    let rows = table.lines().map_while(|row| row.strip_prefix("| `")?.split('`').next());
    let rows: BTreeSet<_> = rows.map(str::to_owned).collect();
    let programs = fs::read_dir(root.join("examples/src/bin")).unwrap();
    let programs = programs.map(|program| program.unwrap().path().file_stem().unwrap().display().to_string());
    assert_eq!(rows, programs.collect());
}
