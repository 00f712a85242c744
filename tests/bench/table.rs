//! The samples, and the table that is printed.

use crate::program::{Program, Running};

/// Which way a figure should go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    Less,
    More,
}

/// One figure of all programs.
struct Row {
    name: String,
    unit: &'static str,
    better: Better,
    /// For each program, one sample a round.
    samples: Vec<Vec<f64>>,
}

/// All figures.
pub(crate) struct Table {
    programs: Vec<&'static str>,
    rows: Vec<Row>,
}

impl Table {
    pub(crate) fn new(programs: &[Program]) -> Table {
        Table { programs: programs.iter().map(|program| program.name).collect(), rows: Vec::new() }
    }

    /// Adds one round's samples of a figure, one of each program.
    pub(crate) fn add(
        &mut self,
        running: &[Running<'_>],
        name: &str,
        unit: &'static str,
        better: Better,
        samples: &[f64],
    ) {
        for (running, sample) in running.iter().zip(samples) {
            self.add_one(running.program, name, unit, better, *sample);
        }
    }

    /// Adds one round's sample of a figure of one program.
    pub(crate) fn add_one(
        &mut self,
        program: &Program,
        name: &str,
        unit: &'static str,
        better: Better,
        sample: f64,
    ) {
        let column = self.programs.iter().position(|known| *known == program.name);
        let column = column.expect("a program of the table");
        let row = match self.rows.iter().position(|row| row.name == name) {
            Some(row) => row,
            None => {
                let samples = vec![Vec::new(); self.programs.len()];
                self.rows.push(Row { name: name.to_owned(), unit, better, samples });
                self.rows.len() - 1
            }
        };
        self.rows[row].samples[column].push(sample);
    }

    /// Prints medians with the smallest and greatest sample, and how many times better the first program is than each
    /// other one: of their medians, and in brackets what the extremes allow.
    pub(crate) fn print(&self) {
        print!("\n| figure | unit |");
        self.programs.iter().for_each(|name| print!(" {name} |"));
        self.programs[1..].iter().for_each(|name| print!(" better than {name} |"));
        println!();
        println!("| --- | --- |{}", " --- |".repeat(self.programs.len() * 2 - 1));
        for row in &self.rows {
            let spreads: Vec<_> = row.samples.iter().map(|samples| Spread::of(samples)).collect();
            print!("| {} | {} |", row.name, row.unit);
            for spread in &spreads {
                let [low, middle, high] = [spread.low, spread.middle, spread.high].map(short);
                print!(" {middle} [{low}–{high}] |");
            }
            for other in &spreads[1..] {
                print!(" {} |", spreads[0].times_better(other, row.better));
            }
            println!();
        }
    }
}

struct Spread {
    low: f64,
    middle: f64,
    high: f64,
}

impl Spread {
    fn of(samples: &[f64]) -> Spread {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        Spread { low: sorted[0], middle: median(&sorted), high: sorted[sorted.len() - 1] }
    }

    fn times_better(&self, other: &Spread, better: Better) -> String {
        let ratio = |own: f64, other: f64| match better {
            Better::Less => other / own,
            Better::More => own / other,
        };
        let extremes = [ratio(self.low, other.high), ratio(self.high, other.low)];
        let [low, high] = [extremes[0].min(extremes[1]), extremes[0].max(extremes[1])];
        format!("{:.2} [{low:.2}–{high:.2}]", ratio(self.middle, other.middle))
    }
}

/// The middle of sorted samples.
fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 }
}

/// The middle of samples in any order.
pub(crate) fn middle(samples: &mut [f64]) -> f64 {
    samples.sort_by(f64::total_cmp);
    median(samples)
}

/// Three digits that count.
fn short(number: f64) -> String {
    match number {
        n if n >= 100.0 => format!("{n:.0}"),
        n if n >= 10.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}
