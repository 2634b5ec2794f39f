//! Figures of the wire and of the channel beside their peers, from the same run; `scripts/bench wire` and `scripts/bench channel` run it.
//!
//! - `octets FOLDER`: what typical messages weigh in each encoding, and how long writing and reading them takes; plots go to the folder;
//! - `count FORMAT MESSAGE write|read TIMES`: that so many times, for callgrind;
//! - `channel FOLDER`: handshakes and bulk in memory;
//! - `race FOLDER MEGABYTES NAME=COMMAND …`: octets over loopback through the channel and through commands that read them;
//! - `greet FOLDER NAME=COMMAND …`: connections over loopback, one after the other;
//! - `bars FILE TITLE`: a plot of lines `group <tab> series <tab> value` from the standard input.

mod channel;
mod loopback;
mod measure;
mod plot;
mod wire;

use std::io::BufRead;
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["octets", folder] => wire::table(Path::new(folder)),
        ["count", format, message, way, times] => wire::count(format, message, way, times),
        ["list"] => wire::list(),
        ["channel", folder] => channel::table(Path::new(folder)),
        ["race", folder, megabytes, ref commands @ ..] => {
            loopback::race(Path::new(folder), megabytes, commands);
        }
        ["greet", folder, ref commands @ ..] => loopback::greet(Path::new(folder), commands),
        ["bars", file, title] => bars(Path::new(file), title),
        _ => {
            eprintln!("octets | count | list | channel | race | greet | bars");
            std::process::exit(2);
        }
    }
}

/// Bars as ratios to the first series of each group.
fn bars(file: &Path, title: &str) {
    let mut bars = plot::Bars::new(title);
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let mut fields = line.split('\t');
        if let (Some(group), Some(series), Some(Ok(value))) =
            (fields.next(), fields.next(), fields.next().map(str::parse))
        {
            bars.add(group, series, value);
        }
    }
    bars.write(file);
}
