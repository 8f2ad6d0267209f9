//! The whole benchmark: the real server and the bare one in turn, on the same machine, in one go.
//!
//! Only ratios between things measured in the same run mean anything; the absolute figures belong to the machine.

mod chart;
mod lookups;
mod machine;
pub(crate) mod plan;
mod report;
mod restart;
mod results;
mod search;
mod server;
mod steps;
mod verdict;

use std::fs;
use std::io;
use std::process;
use std::thread;

use self::plan::{Part, Plan};
use self::results::Results;
use self::steps::Bench;

/// Runs `plan` and writes its report. Fails, after writing what there is, when a part could not be measured.
pub(crate) fn run(plan: &Plan) -> io::Result<()> {
    fs::create_dir_all(&plan.out)?;
    fs::create_dir_all(&plan.work)?;
    watch(plan);
    let outcome = measure(plan);
    let _ = fs::remove_dir_all(&plan.work);
    let results = outcome?;
    fs::write(plan.out.join("results.json"), serde_json::to_string_pretty(&results)? + "\n")?;
    fs::write(plan.out.join("chart.svg"), chart::draw(&results))?;
    let path = plan.out.join("README.md");
    let present = fs::read_to_string(&path).unwrap_or_default();
    fs::write(&path, report::placed_in(&present, &report::write(&results)))?;
    println!("{}", report::write(&results));
    if results.failures.is_empty() {
        Ok(())
    } else {
        Err(io::Error::other(format!("could not measure everything: {}", results.failures.join("; "))))
    }
}

/// Ends this process, and with it the guarded servers, when the time is over.
fn watch(plan: &Plan) {
    let (time_max, work) = (plan.time_max, plan.work.clone());
    thread::spawn(move || {
        thread::sleep(time_max);
        eprintln!("loadgen: the benchmark took longer than {} s and was ended", time_max.as_secs());
        let _ = fs::remove_dir_all(work);
        process::exit(1);
    });
}

fn measure(plan: &Plan) -> io::Result<Results> {
    let mut bench = Bench::new(plan)?;
    if plan.includes(Part::Load) {
        bench.throughput();
        bench.schedule();
    }
    if plan.includes(Part::Idle) {
        bench.idle();
    }
    if plan.includes(Part::Restart) {
        bench.restart();
    }
    if plan.includes(Part::Lookups) {
        bench.lookups();
    }
    if plan.includes(Part::Search) {
        bench.search();
    }
    Ok(bench.into_results())
}
