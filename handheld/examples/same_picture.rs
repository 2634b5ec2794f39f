//! Tells whether a panel shows a picture, pixel by pixel: `same_picture PICTURE.png DUMP.ppm [--turned]`.
//!
//! The dump is what a machine's screen holds (binary PPM, eight bits a channel). A larger panel has the picture in its
//! middle and is black around it. `--turned`: the panel is mounted a quarter turned, so the picture lies on it clockwise.

use std::process::ExitCode;

use handheld::ui::Color;
use handheld::ui::canvas::png;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let turned = arguments.iter().any(|a| a == "--turned");
    let [picture, dump, ..] = &arguments[..] else {
        eprintln!("usage: same_picture PICTURE.png DUMP.ppm [--turned]");
        return ExitCode::FAILURE;
    };
    match differing(picture, dump, turned) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(count) => {
            eprintln!("{count} pixels of {dump} are not those of {picture}");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// How many pixels of the panel are not what they should be.
fn differing(picture: &str, dump: &str, turned: bool) -> Result<usize, String> {
    let read = |path: &str| std::fs::read(path).map_err(|e| format!("{path}: {e}"));
    let (width, height, pixels) =
        png::decode(&read(picture)?).map_err(|e| format!("{picture}: {e}"))?;
    let (width, height) = (width as usize, height as usize);
    let bytes = read(dump)?;
    let (across, down, shown) = ppm(&bytes).ok_or_else(|| format!("{dump} is no such picture"))?;
    let (wide, high) = if turned {
        (height, width)
    } else {
        (width, height)
    };
    if across < wide || down < high {
        return Err(format!("the panel is {across}x{down}"));
    }
    let (left, top) = ((across - wide) / 2, (down - high) / 2);
    let wanted = |x: usize, y: usize| {
        if x < left || y < top || x >= left + wide || y >= top + high {
            return [0; 3];
        }
        let (x, y) = (x - left, y - top);
        let at = if turned {
            (height - 1 - x) * width + y
        } else {
            y * width + x
        };
        Color(pixels[at]).channels()
    };
    let places = (0..down).flat_map(|y| (0..across).map(move |x| (x, y)));
    Ok(places
        .zip(shown.chunks_exact(3))
        .filter(|((x, y), got)| wanted(*x, *y) != **got)
        .count())
}

/// Width, height and channels of a binary PPM.
fn ppm(bytes: &[u8]) -> Option<(usize, usize, &[u8])> {
    let mut rest = bytes.strip_prefix(b"P6")?;
    let mut numbers = [0; 3];
    for number in &mut numbers {
        rest = rest.trim_ascii_start();
        let end = rest.iter().position(|b| !b.is_ascii_digit())?;
        *number = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
        rest = &rest[end..];
    }
    let [width, height, 255] = numbers else {
        return None;
    };
    // One white space ends the header.
    let pixels = rest.get(1..)?;
    (pixels.len() == width * height * 3).then_some((width, height, pixels))
}
