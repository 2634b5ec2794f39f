//! What a laptop sends to be shown: pictures in every format, and text with marks. Each is drawn or refused.

use handheld::runtime::{drawer, raster};
use handheld::ui::markdown::parse;

/// The first octet chooses between a picture, a text and a file's name.
pub fn drive(bytes: &[u8]) {
    let Some((what, rest)) = bytes.split_first() else {
        return;
    };
    match what % 4 {
        0 => {
            let text = String::from_utf8_lossy(rest);
            for placed in parse::parse(&text, 0) {
                let _ = format!("{placed:?}");
            }
        }
        1 => {
            let name = drawer::clean_name(&String::from_utf8_lossy(rest));
            assert!(!name.is_empty() && !name.starts_with('.'));
            assert!(!name.contains(['/', '\\', '\0']) && !name.contains(|c: char| c.is_control()));
            assert!(name.len() <= 255);
        }
        _ => picture(rest),
    }
}

fn picture(value: &[u8]) {
    if value.len() > 5 && is_large(value) {
        return;
    }
    if let Some(raster) = raster::decode(value) {
        let side = u32::from(shared_proto::limits::MAX_SIDE);
        assert!((1..=side).contains(&raster.width) && (1..=side).contains(&raster.height));
        assert_eq!(
            raster.rgb.len(),
            raster.width as usize * raster.height as usize * 3
        );
        let small = raster::fit(raster, 32, 24);
        assert!(small.width <= 32 && small.height <= 24);
    }
    let _ = raster::as_file(value);
}

/// Large pictures cost time and show nothing that small ones do not.
fn is_large(value: &[u8]) -> bool {
    let side = |high: u8, low: u8| u32::from(high) << 8 | u32::from(low);
    let large = |width: u32, height: u32| width.saturating_mul(height) > 1 << 18;
    // Raw pixels: width and height stand in front.
    if large(side(value[2], value[1]), side(value[4], value[3])) && value[0] == 2 {
        return true;
    }
    let body = &value[1..];
    if let Some(header) = body.get(16..24).filter(|_| body.starts_with(b"\x89PNG")) {
        let number = |at: usize| {
            u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        return large(number(0), number(4));
    }
    // A JPEG says its size behind a marker of the kind C0 to C2.
    body.windows(9)
        .filter(|window| window[0] == 0xff && (0xc0..=0xc2).contains(&window[1]))
        .any(|window| large(side(window[7], window[8]), side(window[5], window[6])))
}
