//! Contestants that take turns, so that a machine's moods meet all of them alike.

use std::time::{Duration, Instant};

/// Rounds of each contestant.
const ROUNDS: usize = 31;
/// How long a contestant runs in one round.
const ROUND: Duration = Duration::from_millis(20);

/// What does something so many times.
pub type Work<'a> = Box<dyn FnMut(usize) + 'a>;

/// What was seen of one contestant.
pub struct Seen {
    /// Nanoseconds for one time, median.
    pub nanos: f64,
    /// Times longer than the first contestant: median over rounds of the ratio within a round, and the quartiles around it.
    pub ratio: (f64, f64, f64),
}

/// Runs all in turns and compares them with the first.
pub fn compare(contestants: &mut [Work<'_>]) -> Vec<Seen> {
    let counts: Vec<usize> = contestants.iter_mut().map(calibrate).collect();
    let mut rounds: Vec<Vec<f64>> = Vec::new();
    for _ in 0..ROUNDS {
        let timed = contestants.iter_mut().zip(&counts);
        rounds.push(timed.map(|(work, count)| time(work, *count)).collect());
    }
    (0..contestants.len())
        .map(|place| {
            let mut nanos: Vec<f64> = rounds.iter().map(|round| round[place]).collect();
            let mut ratios: Vec<f64> = rounds.iter().map(|round| round[place] / round[0]).collect();
            Seen {
                nanos: at(&mut nanos, 0.5),
                ratio: (
                    at(&mut ratios, 0.25),
                    at(&mut ratios, 0.5),
                    at(&mut ratios, 0.75),
                ),
            }
        })
        .collect()
}

fn calibrate(work: &mut Work<'_>) -> usize {
    let mut count = 1;
    loop {
        let begun = Instant::now();
        work(count);
        let took = begun.elapsed();
        if took >= ROUND / 4 {
            let times = ROUND.as_secs_f64() / took.as_secs_f64();
            return ((count as f64 * times) as usize).max(1);
        }
        count *= 2;
    }
}

fn time(work: &mut Work<'_>, count: usize) -> f64 {
    let begun = Instant::now();
    work(count);
    begun.elapsed().as_secs_f64() * 1e9 / count as f64
}

/// The value below which a share of all lies.
pub fn at(values: &mut [f64], share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    values[((values.len() - 1) as f64 * share).round() as usize]
}
