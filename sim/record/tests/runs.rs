//! Many runs in one table, and pooled rows.

use std::fs;

use fedsim_record::{PooledTables, RUNS_FILE, RunRow, Tables, read_runs, read_tables, write_runs};

use crate::sample::record;

#[test]
fn every_metric_of_any_run_is_a_column_and_gaps_are_empty() {
    // The two runs share one metric and have one each of their own: the union is sorted, and
    // each row is empty just where it has none.
    let home = tempfile::tempdir().unwrap();
    let mut rows = vec![
        RunRow::from(&record(1).summary),
        RunRow::from(&record(2).summary),
    ];
    rows[0].metrics.insert("a_ms".to_owned(), 1.5);
    rows[1].metrics.insert("z_ms".to_owned(), -2e-9);
    write_runs(home.path(), &rows).unwrap();
    let text = fs::read_to_string(home.path().join(RUNS_FILE)).unwrap();
    let header = "seed,verdict,digest,virtual_seconds,events,sent,a_ms,third_share,z_ms\n";
    assert!(text.starts_with(header), "{text}");
    assert_eq!(read_runs(home.path()).unwrap(), rows);
}

#[test]
fn a_wrong_cell_of_runs_is_named() {
    // Seed 2 stands on line 3, its verdict in the second column.
    let home = tempfile::tempdir().unwrap();
    let rows = [1, 2].map(|seed| RunRow::from(&record(seed).summary));
    write_runs(home.path(), &rows).unwrap();
    let path = home.path().join(RUNS_FILE);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("2,violated", "2,great")).unwrap();
    let error = read_runs(home.path()).unwrap_err().to_string();
    assert!(error.contains("runs.csv:3: column `verdict`"), "{error}");
}

#[test]
fn pooled_rows_carry_their_seed_and_have_one_header() {
    // Each line of the single-run file stands in the pool once per seed, with the seed before.
    let home = tempfile::tempdir().unwrap();
    let mut pool = PooledTables::new(home.path());
    for seed in [3, 4] {
        pool.add(&record(seed)).unwrap();
    }
    pool.finish().unwrap();
    let text = fs::read_to_string(home.path().join("load.csv")).unwrap();
    let row = "0.000000000,1.000000000,3.3333333333333335,7,0.30000000000000004,700";
    let header = "seed,from_s,to_s,messages_mean,messages_max,bytes_mean,bytes_max";
    assert_eq!(text, format!("{header}\n3,{row}\n4,{row}\n"));
    for name in Tables::FILES {
        assert!(home.path().join(name).is_file(), "{name} was not pooled");
    }
}

#[test]
fn pooled_rows_are_read_back_without_their_seeds() {
    // Every table of both runs, in order: just the rows of one behind those of the other.
    let home = tempfile::tempdir().unwrap();
    let mut pool = PooledTables::new(home.path());
    for seed in [3, 4] {
        pool.add(&record(seed)).unwrap();
    }
    pool.finish().unwrap();
    let (read, one) = (read_tables(home.path()).unwrap(), record(3).tables);
    assert_eq!(read.latency, [&one.latency[..], &one.latency[..]].concat());
    assert_eq!(read.steps, [&one.steps[..], &one.steps[..]].concat());
    assert_eq!(read.timeline.len(), 2 * one.timeline.len());
}
