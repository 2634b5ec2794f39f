//! What providers of pictures answer: their JSON, and pictures as they come, which are looked at before memory is taken, then fitted.

use crate::octets::Octets;
use laptop::ipc::{PictureFormat, Screen};
use laptop::picture::a1111::A1111;
use laptop::picture::check::{MAX_PIXELS, MAX_SIDE, decode, sniff};
use laptop::picture::fit::fit;
use laptop::picture::openai::OpenAiImages;
use laptop::service::config::{Kind, ProviderConfig};

/// The first octet chooses between an answer and a picture.
pub fn drive(bytes: &[u8]) {
    let mut octets = Octets(bytes);
    let config = |kind| ProviderConfig::new("made-up", kind, "http://127.0.0.1:1");
    let what = octets.byte();
    let painted = match what % 8 {
        0 => OpenAiImages::new(config(Kind::OpenaiImages)).painted(octets.0),
        1 => A1111::new(config(Kind::A1111)).painted(octets.0),
        _ => {
            picture(octets.0, what);
            return;
        }
    };
    match painted {
        Ok(painted) => picture(&painted.bytes, what),
        Err(attempt) => assert!(!attempt.failure.detail.contains(|c: char| c.is_control())),
    }
}

fn picture(bytes: &[u8], what: u8) {
    // A small picture says as much about the decoders as a large one: those are left to the tests beside the code.
    if is_large(bytes) {
        return;
    }
    let image = match decode(bytes) {
        Ok(image) => image,
        Err(failure) => {
            let detail = failure.detail;
            assert!(!detail.contains(|c: char| c.is_control()), "{detail:?}");
            return;
        }
    };
    assert!(sniff(bytes).is_some());
    let (width, height) = image.dimensions();
    assert!((1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height));
    assert!(u64::from(width) * u64::from(height) <= MAX_PIXELS);
    let accepts = [
        PictureFormat::Jpeg,
        PictureFormat::Png,
        PictureFormat::Rgb565Zstd,
    ];
    let screen = Screen {
        width: 64,
        height: 48,
        accepts: vec![accepts[usize::from(what >> 3) % 3]],
    };
    let fitted = fit(&image, &screen).expect("each of them can be made");
    assert!(fitted.width <= 64 && fitted.height <= 48);
    if fitted.format != PictureFormat::Rgb565Zstd {
        let again = decode(&fitted.bytes).expect("what we made");
        let size = (u32::from(fitted.width), u32::from(fitted.height));
        assert_eq!(again.dimensions(), size);
    }
}

/// Whether a header says more than a quarter of a million pixels.
fn is_large(bytes: &[u8]) -> bool {
    image::ImageReader::new(std::io::Cursor::new(bytes))
        .with_guessed_format()
        .ok()
        .and_then(|reader| reader.into_dimensions().ok())
        .is_some_and(|(width, height)| u64::from(width) * u64::from(height) > 1 << 18)
}
