//! Typical messages in our encoding and in those of the peers, with the same content in the same fields.
//!
//! Ours is a frame with its header, a submit's with its program; the peers' have nothing that would tell where they end. Signature and numbers are the
//! same, and where the content is text every encoding has it as text. Nothing is compressed: that would be the same step behind each.

mod content;
mod ours;
mod peers;
mod protobuf;

use crate::measure::{Work, compare};
use crate::plot::Bars;
use content::{Borrowed, MESSAGES};
use std::hint::black_box;
use std::path::Path;

/// An encoding.
struct Format {
    name: &'static str,
    write: fn(&Borrowed<'_>) -> Vec<u8>,
    /// Reads it into values whose texts are known to be UTF-8; borrowed where the crate can.
    read: fn(&[u8]),
}

const FORMATS: [Format; 6] = [
    Format {
        name: "OfficeOS",
        write: ours::write,
        read: ours::read,
    },
    Format {
        name: "Protobuf",
        write: protobuf::write,
        read: protobuf::read,
    },
    Format {
        name: "MessagePack, arrays",
        write: peers::write_arrays,
        read: peers::read_arrays,
    },
    Format {
        name: "MessagePack, names",
        write: peers::write_named,
        read: peers::read_named,
    },
    Format {
        name: "CBOR",
        write: peers::write_cbor,
        read: peers::read_cbor,
    },
    Format {
        name: "JSON",
        write: peers::write_json,
        read: peers::read_json,
    },
];

/// Prints octets and times, and plots octets.
pub fn table(folder: &Path) {
    let mut plot = Bars::new("Octets of a message, as a multiple of ours");
    println!("\n### Octets\n");
    head(&FORMATS.map(|format| format.name));
    for (name, message) in MESSAGES {
        let message = message();
        let mut row = format!("| {name} |");
        let own = (FORMATS[0].write)(&message).len();
        for format in &FORMATS {
            let octets = (format.write)(&message);
            (format.read)(&octets);
            plot.add(name, format.name, octets.len() as f64);
            let ratio = octets.len() as f64 / own as f64;
            row += &format!(" {} ({ratio:.2}) |", octets.len());
        }
        println!("{row}");
    }
    plot.write(&folder.join("wire-octets.svg"));
    times("Writing", |format, message| {
        Box::new(move |count| {
            for _ in 0..count {
                black_box((format.write)(black_box(message)));
            }
        })
    });
    times("Reading", |format, message| {
        let octets = (format.write)(message);
        Box::new(move |count| {
            for _ in 0..count {
                (format.read)(black_box(&octets));
            }
        })
    });
}

fn head(names: &[&str]) {
    println!("| | {} |", names.join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
}

fn times<'a>(what: &str, work: fn(&'static Format, &'a Borrowed<'static>) -> Work<'a>) {
    println!(
        "\n### {what}: nanoseconds, and times as long as ours (median over rounds of the ratio within a round)\n"
    );
    head(&FORMATS.map(|format| format.name));
    for (name, message) in MESSAGES {
        let message: &'static Borrowed<'static> = Box::leak(Box::new(message()));
        let mut works: Vec<Work<'_>> = FORMATS.iter().map(|format| work(format, message)).collect();
        let seen = compare(&mut works);
        let cells: Vec<String> = seen
            .iter()
            .map(|seen| format!("{:.0} ({:.2})", seen.nanos, seen.ratio.1))
            .collect();
        println!("| {name} | {} |", cells.join(" | "));
    }
}

/// Names of formats and messages, one a line.
pub fn list() {
    for (message, _) in MESSAGES {
        for format in &FORMATS {
            println!("{}\t{message}", format.name);
        }
    }
}

/// Writes or reads a message so many times.
pub fn count(format: &str, message: &str, way: &str, times: &str) {
    let format = FORMATS.iter().find(|known| known.name == format);
    let message = MESSAGES.iter().find(|(name, _)| *name == message);
    let (format, (_, message)) = (format.expect("a format"), message.expect("a message"));
    let (times, message) = (times.parse().expect("a number"), message());
    if way == "write" {
        for _ in 0..times {
            black_box((format.write)(black_box(&message)));
        }
    } else {
        let octets = (format.write)(&message);
        for _ in 0..times {
            (format.read)(black_box(&octets));
        }
    }
}
