//! The records for programs: JSON is compared with its schema, and csv with the columns that `docs/csv.md`
//! lists.

use std::fs;

use rnetstat::fields::ALL;
use serde_json::Value;

use crate::common::run::{RunCommand, rnetstat};
use crate::common::schema::{assert_valid, schema};

/// Returns the cells of the rows of the tables below a heading, without the backquotes.
fn rows(document: &str, heading: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(document).unwrap();
    let (_, text) = text.split_once(&format!("## {heading}\n")).expect(heading);
    let text = text.split("\n## ").next().unwrap();
    let lines = text.lines().filter(|line| line.starts_with('|')).skip(2);
    let cell = |cell: &str| cell.trim().trim_matches('`').to_owned();
    lines.map(|line| line.trim_matches('|').split('|').map(cell).collect()).collect()
}

#[test]
fn every_column_of_csv_is_documented_with_its_key() {
    let parts = ["The usual columns", "Columns on request"].map(|it| rows("docs/csv.md", it));
    let heading = rnetstat("-an --csv --proc fixtures/01-lab/proc").listing();
    let usual: Vec<_> = heading.lines().next().unwrap().split(',').collect();
    let documented: Vec<_> = parts[0].iter().map(|row| row[0].as_str()).collect();
    assert_eq!(documented, usual);
    let mut all: Vec<_> = parts.concat();
    assert!(all.iter().all(|row| row.len() == 3 && !row[2].is_empty()), "{all:?}");
    let column = |key: &str, column: &str| (column.to_owned(), key.to_owned());
    let mut expected: Vec<_> =
        ALL.iter().flat_map(|field| field.csv.iter().map(|name| column(field.key, name))).collect();
    let mut found: Vec<_> = all.drain(..).map(|row| column(&row[1], &row[0])).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn generated_schema_is_the_file() {
    let file = fs::read_to_string("fixtures/schema.json").unwrap();
    assert_eq!(rnetstat("--generate schema").listing(), file);
}

#[test]
fn groups_match_the_schema() {
    let schema = schema();
    let tree = "-an --proc fixtures/24-filters/proc --json";
    for flags in [
        "--group state",
        "--group state,user,program --limit 1",
        "--group local,pid --columns drops,recv-q",
        "-c --count 1 --group sport,ipv6-only,rtt",
    ] {
        let groups = rnetstat(&format!("{tree} {flags}")).run().stdout;
        let groups: Value = serde_json::from_str(&groups).expect(flags);
        assert!(groups.as_array().is_some_and(|groups| groups.len() > 1), "{flags}: {groups}");
        assert_valid(&schema, flags, &groups);
    }
    for wrong in [r#"[{"state": "LISTEN"}]"#, r#"[{"state": [], "sockets": 1}]"#] {
        assert!(!schema.is_valid(&serde_json::from_str(wrong).unwrap()), "{wrong}");
    }
}
